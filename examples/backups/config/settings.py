"""Wire the bookings and their keeper together; what differs between machines comes from the environment.

A mistake in it ends the process with one sentence.
"""

import sys
from os import environ as env
from pathlib import Path
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
# What the address says about TLS goes for Django, and for PostgreSQL's programs, too.
asked = database["OPTIONS"] = database.get("OPTIONS", {})
# A commit is acknowledged by two servers: a connection for each request would take as long again.
# A machine that is gone says nothing any more: without keepalives its clients would wait for hours.
alive = {
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "connect_timeout": 5,
}
DATABASES = {
    "default": database | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "OPTIONS": alive | asked}
}
# As libpq names it. In containers the password comes apart from the address.
SERVER = asked | {
    "host": database["HOST"],
    "port": str(database["PORT"] or 5432),
    "user": database["USER"],
    "password": database["PASSWORD"] or env.get("PGPASSWORD", ""),
    "dbname": database["NAME"],
}
POSTGRES_BIN = env.get("POSTGRES_BIN", "")  # empty: PostgreSQL's programs are on the PATH
# Its owner is the user that those programs run as.
POSTGRES_FOLDER = Path(env.get("POSTGRES_FOLDER", "/var/lib/backups"))
try:
    KEEP_HOURS = float(env.get("KEEP_HOURS", "24"))
except ValueError:
    sys.exit("KEEP_HOURS is no number of hours like 24.")

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
