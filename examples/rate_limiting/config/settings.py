"""Wire the flight API together; what differs between machines comes from the environment.

A mistake in a value that somebody types by hand ends the process with one sentence.
"""

from collections.abc import Callable
from os import environ as env

from flights.identity import Proxies
from limiter.store import client


def read[Value](name: str, otherwise: str, reading: Callable[[str], Value]) -> Value:
    """Return what *reading* makes of an environment variable."""
    try:
        return reading(env.get(name, otherwise))
    except ValueError as error:
        raise SystemExit(f"{name}: {error}") from None


def number[Kind: (int, float)](kind: type[Kind], least: Kind, most: Kind) -> Callable[[str], Kind]:
    def reading(text: str) -> Kind:
        if not least <= (value := kind(text)) <= most:
            raise ValueError(f"{text!r} is not from {least} to {most}")
        return value

    return reading


def redis_url(text: str) -> str:
    try:
        client(text).close()
    except ValueError as error:
        raise ValueError(f"not the address of a Redis server: {error}") from None
    return text


DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = ["rest_framework", "flights"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_ratelimit.middleware.RatelimitMiddleware",
    "flights.middleware.TokenBucketMiddleware",
]

# The solution.
REDIS_URL = read("REDIS_URL", "redis://127.0.0.1:6379/0", redis_url)
REDIS_TIMEOUT_SECONDS = read("REDIS_TIMEOUT_SECONDS", "0.1", number(float, 0.001, 60.0))
TRUSTED_PROXIES = read("TRUSTED_PROXIES", "", Proxies.parse)  # none: no X-Forwarded-For is believed
IPV6_PREFIX = read("IPV6_PREFIX", "64", number(int, 16, 128))
SITE_URL = env.get("SITE_URL", "")  # where clients reach it; only `check --tag site` asks there
# How many share a limit that each has to keep alone.
SOME = number(int, 1, 10_000)
PROCESSES = read("WEB_REPLICAS", "1", SOME) * read("WEB_CONCURRENCY", "2", SOME)
LIMITED_PATHS = {"/api/token_bucket/": "airports"} | {
    f"/api/token_bucket/{rules}/": rules
    for rules in ("strict", "steady", "open", "closed", "bulk", "tiered")
}

MINE = env.get("MINE", "")  # the module of a reader's own variant

# The stock limiters, set up as their own documentation says.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}
RATELIMIT_VIEW = "flights.django_ratelimit.too_many_requests"
REST_FRAMEWORK = {
    "DEFAULT_THROTTLE_RATES": {
        "airports": "100/min",
        "bulk": "5000/hour",
        "second": "10/second",
        "hour": "30/hour",
    },
    "EXCEPTION_HANDLER": "flights.problems.handler",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,  # the default comes from contrib.auth, which needs a database
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

# TLS ends at a proxy, which is the one that redirects. Who may name the scheme is who may name
# the client: without a trusted proxy, X-Forwarded-Proto is not believed either.
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if Proxies() != TRUSTED_PROXIES else None
)
SECURE_SSL_REDIRECT = env.get("SECURE_SSL_REDIRECT") == "1"
SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # no CSRF middleware: no cookies, no sessions, no forms
    "security.W005",  # HSTS for subdomains and the preload list are decisions about a whole
    "security.W021",  # domain, not about one service of it
    "security.W009",  # flights.E001 says the same in one sentence
    "security.W008",  # no redirect to HTTPS: http://localhost has to work, see above
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        # Django's default tells nobody of a 500 but its ADMINS; a refused request is no error.
        "django": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        # A request with a wrong Host is answered with 400; a traceback for each would fill the disk.
        "django.security.DisallowedHost": {"level": "CRITICAL", "propagate": False},
        "limiter": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}
