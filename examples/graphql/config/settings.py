"""Wire the GraphQL API together; what differs between machines comes from the environment.

A mistake in it ends the process with one sentence.
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
MINE = env.get("MINE", "")  # the module of a reader's own variant
INSTALLED_APPS = ["flights"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "flights.middleware.TellCost",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
APPEND_SLASH = False  # a client that is sent elsewhere comes with GET, and without its body


try:
    # An empty address would be no database at all, and an error only at the first query.
    url = env.get("DATABASE_URL") or "postgres://nexus:nexus@127.0.0.1:5432/nexus"
    database: dict[str, Any] = {**dj_database_url.parse(url)}
except ValueError:
    database = {}
if not (
    database.get("ENGINE", "").endswith(".postgresql") and database["HOST"] and database["NAME"]
):
    sys.exit("DATABASE_URL is no address like postgres://user:password@host:5432/name.")
# Short queries on a fast disk: compiling or parallelising one costs more than it saves. Who waits for a row
# that somebody else keeps is told so, instead of keeping a thread for as long.
SERVER = (
    "-c jit=off -c random_page_cost=1.1 -c max_parallel_workers_per_gather=0 -c lock_timeout=1s"
)
database["OPTIONS"] = {**database.get("OPTIONS", {}), "options": SERVER}
DATABASES = {"default": database}

SECURE_SSL_REDIRECT = env.get("SECURE_SSL_REDIRECT") == "1"
SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
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
        # strawberry and ariadne log each refused query with a traceback; faults are logged by flights.errors.
        "strawberry.execution": {"handlers": ["console"], "level": "CRITICAL", "propagate": False},
        "ariadne": {"handlers": ["console"], "level": "CRITICAL", "propagate": False},
    },
}
