"""Wire the changes of schema together; what differs between machines comes from the environment.

A mistake in it ends the process with one sentence.
"""

import sys
from os import environ as env
from typing import Any

import dj_database_url

DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
MINE = env.get("MINE", "")  # the module of a reader's own variant
INSTALLED_APPS = [
    "flights",
    "flights.in_place",
    "flights.if_not_exists",
    "flights.expand_contract",
    *(["flights.own"] if MINE else []),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"


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
# A migration that is killed leaves no statement behind on the server, which would keep its locks.
CHECKED = "-c client_connection_check_interval=1s"
database["OPTIONS"] = {**database.get("OPTIONS", {}), "options": CHECKED}
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
    },
}
