"""Wire the airport pages together; what differs between machines comes from the environment, checked here."""

from os import environ as env

import dj_database_url
from redis import Redis

DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = ["rest_framework", "flights"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # ETag is a digest of what is sent. Outside of CommonMiddleware: a 304 has no Content-Length.
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASE_URL = env.get("DATABASE_URL", "postgres://nexus:nexus@127.0.0.1:5432/nexus")
try:
    # A connection for each thread, kept: opening one costs more than a page.
    database = dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)
except ValueError as error:
    raise SystemExit(f"DATABASE_URL is no address of a database: {error}") from None
DATABASES = {"default": dict(database)}
TIME_ZONE = "UTC"  # of the logs, too; the default is America/Chicago

REDIS_URL = env.get("REDIS_URL", "redis://127.0.0.1:6379/0")
try:
    Redis.from_url(REDIS_URL)
except ValueError as error:
    raise SystemExit(f"REDIS_URL is no address of a Redis: {error}") from None
CDN_PURGE_URL = env.get("CDN_PURGE_URL", "")  # unset: there is no CDN
if CDN_PURGE_URL and not CDN_PURGE_URL.startswith("http://"):
    raise SystemExit(f"CDN_PURGE_URL is {CDN_PURGE_URL!r}, and does not begin with http://")
STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # unset: nobody is staff
MINE = env.get("MINE", "")  # the module of a reader's own variant

# The stock cache, set up as Django's documentation says.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,  # the default comes from contrib.auth, which is not installed
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "flights.problems.handler",
}

SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # no CSRF middleware: no cookies, no sessions, no forms
    "security.W005",  # HSTS for subdomains and the preload list are decisions about a whole
    "security.W021",  # domain, not about one service of it
    "security.W008",  # no redirect to HTTPS: http://localhost has to work; a proxy redirects
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
    },
}
