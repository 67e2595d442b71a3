"""Wire the flight API together; what differs between machines comes from the environment.

Values that somebody types by hand stay raw strings here: the system checks of `edge` read them
and answer a mistake with one sentence instead of a traceback.
"""

from os import environ as env
from pathlib import Path

if metrics_folder := env.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(metrics_folder).mkdir(parents=True, exist_ok=True)  # the client library expects it

DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "edge",
    "flights",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Before everything that is sync-only: under ASGI it then decides on the event loop itself.
    "edge.middleware.TokenBucketMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_ratelimit.middleware.RatelimitMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES: dict[str, dict[str, str]] = {}

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # the assets of Swagger UI and ReDoc, straight from their package

# The solution.
REDIS_URL = env.get("REDIS_URL", "redis://127.0.0.1:6379/0")
REDIS_CLUSTER_URL = env.get("REDIS_CLUSTER_URL", "")  # of any node; set: it keeps the buckets
TRUSTED_PROXIES = env.get("TRUSTED_PROXIES", "")  # unset: no X-Forwarded-For is believed
PROCESSES = (env.get("WEB_REPLICAS", "1"), env.get("WEB_CONCURRENCY", "2"))  # share a local limit
STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # unset: nobody is staff
LIMIT_RULES = "flights.limits.RULES"
LIMITED_PATHS = {"/api/token_bucket/": "airports"} | {
    f"/api/token_bucket/{rules}/": rules
    for rules in ("strict", "steady", "open", "closed", "bulk", "tiered", "shadow")
}

# The stock limiters, set up as their own documentation says.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}
RATELIMIT_VIEW = "flights.django_ratelimit.too_many_requests"
REST_FRAMEWORK = {
    "DEFAULT_THROTTLE_RATES": {"airports": "100/min", "bulk": "5000/hour"},
    "EXCEPTION_HANDLER": "edge.throttle.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,  # the default comes from contrib.auth, which needs a database
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Flight information",
    "DESCRIPTION": "One endpoint, behind seven ways to limit its rate.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "staff": {"type": "http", "scheme": "bearer"},
        }
    },
}

# TLS ends at a proxy, which is the one that redirects. Who may name the scheme is who may name
# the client: without a trusted proxy, X-Forwarded-Proto is not believed either.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = env.get("SECURE_SSL_REDIRECT") == "1"
SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # no CSRF middleware: no cookies, no sessions, no forms
    "security.W005",  # HSTS for subdomains and the preload list are decisions about a whole
    "security.W021",  # domain, not about one service of it
    "security.W009",  # edge.E005 says the same in one sentence
    "security.W008",  # no redirect to HTTPS: http://localhost has to work, see above
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"event": {"format": "%(message)s"}},  # the message is one JSON object
    "handlers": {
        "events": {"class": "logging.StreamHandler", "formatter": "event"},
        "console": {"class": "logging.StreamHandler"},
    },
    "loggers": {
        # Django's default tells nobody of a 500 but its ADMINS; a refused request is no error.
        "django": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        # A request with a wrong Host is answered with 400; a traceback for each would fill the disk.
        "django.security.DisallowedHost": {"level": "CRITICAL", "propagate": False},
        "abuse": {"handlers": ["events"], "level": "INFO", "propagate": False},
    },
}
