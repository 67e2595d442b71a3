"""Wire the guarded flight API together; what differs between machines comes from the environment."""

import tempfile
from os import environ as env
from pathlib import Path

import dj_database_url
from redis.backoff import NoBackoff
from redis.retry import Retry

if metrics_folder := env.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(metrics_folder).mkdir(parents=True, exist_ok=True)  # the client library expects it

DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_blocklist",
    "bans",
    "flights",
    "replay",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "flights.middleware.GuardMiddleware",  # before everything that costs something
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",  # this and the next three: the admin
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASE_URL = env.get("DATABASE_URL", "postgres://nexus:nexus@127.0.0.1:5432/nexus")
try:
    # A connection for each thread, kept: opening one costs more than a request.
    database = dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)
except ValueError as error:
    raise SystemExit(f"DATABASE_URL is malformed: {error}") from None
DATABASES = {"default": dict(database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"  # of the logs, too; the default is America/Chicago

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # assets of the admin and Swagger UI, straight from their packages

# Browsers keep these for http://localhost, too.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
# The admin behind a proxy that speaks HTTPS: its origin, https://…
CSRF_TRUSTED_ORIGINS = [*filter(None, env.get("CSRF_TRUSTED_ORIGINS", "").split(","))]

# The solution.
REDIS_URL = env.get("REDIS_URL", "redis://127.0.0.1:6379/0")
TRUSTED_PROXIES = env.get("TRUSTED_PROXIES", "")  # unset: no hop is believed
# The one header that the proxies write; a client may send the other one through them.
CLIENT_HEADER = env.get("CLIENT_HEADER", "HTTP_X_FORWARDED_FOR")
COUNTRY_FILE = env.get("COUNTRY_FILE", "")  # a MaxMind DB; unset: no country is known
REFUSED_COUNTRIES = frozenset(filter(None, env.get("REFUSED_COUNTRIES", "").split(",")))
STATE_FOLDER = env.get("STATE_FOLDER", str(Path(tempfile.gettempdir()) / "ip_blacklisting"))
# Paths that nobody here has ever linked to.
TRAPS = ("/wp-login.php", "/xmlrpc.php", "/.env", "/.git/config", "/phpmyadmin/")
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 2**20  # a feed of a million networks
STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # unset: nobody is staff

# The stock ways, set up as their own documentation says.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # In favour of all: by default a Redis that is gone would hold a request for seconds.
        "OPTIONS": {
            "socket_timeout": 0.5,
            "socket_connect_timeout": 0.5,
            "retry": Retry(NoBackoff(), 0),
        },
    },
    "local": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
BLOCKLIST_CONFIG = {"cooldown": 7}
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "bans.answers.on_exception",
    "DEFAULT_THROTTLE_RATES": {"appeals": "5/hour", "bans": "600/min", "changes": "60/min"},
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,  # a request without the token is nobody's
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Guarded flight information",
    "DESCRIPTION": "Three endpoints, behind eight ways to keep somebody out.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "APPEND_COMPONENTS": {"securitySchemes": {"staff": {"type": "http", "scheme": "bearer"}}},
}

SECURE_SSL_REDIRECT = env.get("SECURE_SSL_REDIRECT") == "1"
SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
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
        "shield": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "bans": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # The package writes the address of whom it refuses.
        "django_blocklist": {"handlers": [], "propagate": False},
    },
}
