"""What both settings modules say: the applications, their order, and where reports of errors go."""

import sys
from os import environ as env
from pathlib import Path
from typing import Any


def switched_on(name: str) -> bool:
    """Return whether the variable is 1; `true`, which would switch nothing on, ends the process."""
    if (said := env.get(name) or "0") not in ("0", "1"):
        sys.exit(f"{name} has to be 0 or 1.")
    return said == "1"


DEBUG = switched_on("DEBUG")
USUAL_HOSTS = "localhost,127.0.0.1,[::1]"  # also where the variable is set and empty
ALLOWED_HOSTS = (env.get("ALLOWED_HOSTS") or USUAL_HOSTS).replace(" ", "").split(",")
RELEASE = env.get("RELEASE", "1")  # said in each answer
PAYMENTS = switched_on("PAYMENTS")  # a release that charges for bookings
FAULT = env.get("FAULT", "")  # what this release cannot do: the page of an airport, or `bookings`
MINE = env.get("MINE", "")  # the module of a reader's own way
HOST = env.get("HOST", "127.0.0.1")
PORT = env.get("PORT", "8001")
# What whoever switches releases has to remember.
STATE_FOLDER = Path(env.get("STATE_FOLDER") or Path(__file__).parent.parent / "state").resolve()

ROOT_URLCONF = "config.urls"
INSTALLED_APPS = ["flights", "ways"]
MIDDLEWARE = [
    "flights.middleware.say_release",
    "flights.middleware.answer_probes",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TIME_ZONE = "UTC"
# A connection serves many requests; a database that hangs holds none for longer than this.
DATABASE_OPTIONS: dict[str, Any] = {
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {"connect_timeout": 5},
}

# Errors are mailed to whoever operates the service; here the letters are files.
MAIL_FOLDER = env.get("MAIL_FOLDER", "")
ADMINS = ["operator@example.org"] if MAIL_FOLDER else []
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "OPTIONS": {"file_path": MAIL_FOLDER},
    }
}
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "console": {"class": "logging.StreamHandler"},
        "mail": {"class": "django.utils.log.AdminEmailHandler", "include_html": True},
    },
    "loggers": {
        "django": {"handlers": ["console", "mail"], "level": "ERROR", "propagate": False},
        # A request with a wrong Host is answered with 400; a traceback for each would fill the disk.
        "django.security.DisallowedHost": {"level": "CRITICAL", "propagate": False},
    },
}

SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # no CSRF middleware: no cookies, no sessions, no forms
    "security.W005",  # HSTS for subdomains and the preload list are decisions about a whole
    "security.W021",  # domain, not about one service of it
    "security.W008",  # no redirect to HTTPS: http://localhost has to work
]
