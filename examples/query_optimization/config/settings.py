"""Wire the flight information together; what differs between machines comes from the environment.

A number that somebody types by hand and that is none ends the process with one sentence.
"""

import sys
from os import environ as env
from typing import Any

import dj_database_url

DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # unset: nobody is staff

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = [
    "rest_framework",
    "flights",
    "loading",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "flights.middleware.TellQueries",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"


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
    try:
        # An empty address would be no database at all, and an error only at the first query.
        url = env.get("DATABASE_URL") or "postgres://nexus:nexus@127.0.0.1:5432/nexus"
        found: dict[str, Any] = {**dj_database_url.parse(url)}
    except ValueError:
        found = {}
    if not (found.get("ENGINE", "").endswith(".postgresql") and found["HOST"] and found["NAME"]):
        sys.exit("DATABASE_URL is no address like postgres://user:password@host:5432/name.")
    # Short queries on a fast disk: compiling or parallelising one costs more than it saves.
    planner = "-c jit=off -c random_page_cost=1.1 -c max_parallel_workers_per_gather=0"
    found.setdefault("OPTIONS", {}).update(application_name=name, options=planner, **options)
    return found


MINE = env.get("MINE", "")  # the module of a reader's own variant

# All server processes together hold at most POOL_SIZE connections; a request waits for one so long.
PROCESSES = int(number("WEB_REPLICAS", "1", 1)) * int(number("WEB_CONCURRENCY", "2", 1))
# A process without a connection could serve nothing.
POOL_SIZE = int(number("POOL_SIZE", "8", PROCESSES))
POOL_TIMEOUT_SECONDS = number("POOL_TIMEOUT_SECONDS", "1", 0)
# Past it the pool forgets the attempt, and the next request begins a new one: its pauses never grow longer.
RECONNECT_SECONDS = 2
DATABASES = {
    "default": database("direct"),  # the variants that open a connection for each request
    "pooled": database(
        "pooled",
        pool={
            "min_size": 1,
            "max_size": POOL_SIZE // PROCESSES,
            "timeout": POOL_TIMEOUT_SECONDS,
            "reconnect_timeout": RECONNECT_SECONDS,
        },
    )
    # A connection that a restart of the server has cut is replaced before a request gets it.
    | {"CONN_HEALTH_CHECKS": True, "TEST": {"MIRROR": "default"}},
}

REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "flights.problems.handler",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,  # the default comes from contrib.auth, which nothing here needs
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
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
