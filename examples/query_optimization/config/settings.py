"""Wire the flight information together; what differs between machines comes from the environment.

A number that somebody types by hand and that is none ends the process with one sentence.
"""

import sys
from importlib.util import find_spec
from os import environ as env
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

if metrics_folder := env.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(metrics_folder).mkdir(parents=True, exist_ok=True)  # the client library expects it

DEBUG = env.get("DEBUG") == "1"
# The toolbar keeps every query of every request in memory: a tool for one developer, never served.
TOOLBAR = DEBUG and find_spec("debug_toolbar") is not None
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
INTERNAL_IPS = ["127.0.0.1"]
STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # unset: nobody is staff

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "flights",
    "changes.in_place",
    "changes.expand_contract",
    *(["debug_toolbar"] if TOOLBAR else []),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    *(["debug_toolbar.middleware.DebugToolbarMiddleware"] if TOOLBAR else []),
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "plans.middleware.CountQueries",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # the assets of Swagger UI and ReDoc, straight from their package


def number(name: str, otherwise: str, least: float) -> float:
    """Return the number in the environment, or end this process: no later error says it as well."""
    text = env.get(name, otherwise)
    try:
        if (found := float(text)) >= least:
            return found
    except ValueError:
        pass
    sys.exit(f"{name} is {text!r}, not a number of at least {least:g}.")


def database(name: str, **options: Any) -> dict[str, Any]:
    """Return the database at DATABASE_URL as `name` sees it."""
    url = env.get("DATABASE_URL", "postgres://nexus:nexus@127.0.0.1:5432/nexus")
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError:
        port = 0
    if port == 0 or address.scheme not in ("postgres", "postgresql") or not address.hostname:
        sys.exit("DATABASE_URL is no address like postgres://user:password@host:5432/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.path.lstrip("/"),
        "USER": unquote(address.username or ""),
        "PASSWORD": unquote(address.password or ""),
        "HOST": address.hostname,
        "PORT": port,
        "OPTIONS": {
            "application_name": name,
            # Short queries on a fast disk: compiling or parallelising one costs more than it saves.
            "options": "-c jit=off -c random_page_cost=1.1 -c max_parallel_workers_per_gather=0",
            **options,
        },
    }


# All server processes together hold at most POOL_SIZE connections; a request waits for one so long.
PROCESSES = int(number("WEB_REPLICAS", "1", 1)) * int(number("WEB_CONCURRENCY", "2", 1))
# A process without a connection could serve nothing.
POOL_SIZE = int(number("POOL_SIZE", "8", PROCESSES))
POOL_TIMEOUT_SECONDS = number("POOL_TIMEOUT_SECONDS", "1", 0)
DATABASES = {
    "default": database("direct"),  # the variants that open a connection for each request
    "pooled": database(
        "pooled",
        pool={
            "min_size": 1,
            "max_size": POOL_SIZE // PROCESSES,
            "timeout": POOL_TIMEOUT_SECONDS,
        },
    )
    | {"TEST": {"MIRROR": "default"}},
}

REDIS_URL = env.get("REDIS_URL", "redis://127.0.0.1:6379/0")
if urlsplit(REDIS_URL).scheme not in ("redis", "rediss", "unix"):
    sys.exit("REDIS_URL is no address like redis://host:6379/0.")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # The database answers as well: whoever waits longer for Redis would have been served by it.
        "OPTIONS": {
            "socket_timeout": 0.25,
            "socket_connect_timeout": 0.25,
            "retry": Retry(NoBackoff(), 0),
        },
    }
}

REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "flights.problems.handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,  # the default comes from contrib.auth, which nothing here needs
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Flight information",
    "DESCRIPTION": "Lists of 336,776 real flights, each asked for in six ways.",
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
    "postgres.E005",  # an index needs nothing of contrib.postgres, which asks each new connection twice
    "security.W003",  # no CSRF middleware: no cookies, no sessions, no forms
    "security.W005",  # HSTS for subdomains and the preload list are decisions about a whole
    "security.W021",  # domain, not about one service of it
    "security.W008",  # no redirect to HTTPS: http://localhost has to work
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        "django": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        # A request with a wrong Host is answered with 400; a traceback for each would fill the disk.
        "django.security.DisallowedHost": {"level": "CRITICAL", "propagate": False},
    },
}
