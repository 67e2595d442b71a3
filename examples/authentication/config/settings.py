"""Wire the bookings and their sessions together; what differs between machines comes from the environment.

A mistake in it ends the process with one sentence.
"""

import os
import sys
import tempfile
from datetime import timedelta
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
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "flights",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "flights.problems.Unavailable",
]
AUTHENTICATION_BACKENDS = ["flights.passwords.Renewing"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
APPEND_SLASH = False  # whoever follows the redirect of a POST asks with GET

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
ROLE = "flights_api"  # made by `prepare`; policies do not concern a superuser
kept = {**database, "CONN_MAX_AGE": None, "OPTIONS": {"assume_role": ROLE}}
DATABASES = {
    # Each request is one transaction: who asks is known to the database for as long.
    "default": {**kept, "ATOMIC_REQUESTS": True, "CONN_HEALTH_CHECKS": True},
    "setting": kept,  # of the variant whose setting outlives the request
    "owner": database,  # of migrations, and of the variants without policies
}

# What this example is about.
# Of this user alone: what another user of the machine had made, nobody else could open.
OWN_FOLDER = Path(tempfile.gettempdir()) / f"authentication-{os.getuid()}"
STATE_FOLDER = Path(env.get("STATE_FOLDER", str(OWN_FOLDER)))
ISSUER, AUDIENCE = env.get("ISSUER", "https://flights.example"), "flights"
HASHES_AT_ONCE = env.get("HASHES_AT_ONCE", "1")
if not (HASHES_AT_ONCE.isascii() and HASHES_AT_ONCE.isdigit() and int(HASHES_AT_ONCE)):
    sys.exit("HASHES_AT_ONCE is no number of password hashes like 1.")
STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # the password of all who are loaded; unset: none

# The library as its documentation sets it up for rotation and logout.
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_PARSER_CLASSES": ["flights.asked.Json"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "flights.problems.handler",
}

SECURE_SSL_REDIRECT = env.get("SECURE_SSL_REDIRECT") == "1"
SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # no CSRF middleware: no cookies, no forms
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
        "flights": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "sessions": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
