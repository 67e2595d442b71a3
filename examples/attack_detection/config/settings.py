"""Wire the watched flight API together; what differs between machines comes from the environment."""

from os import environ as env
from pathlib import Path

import dj_database_url

DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = ["kept", "flights"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "flights.middleware.WatchMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASE_URL = env.get("DATABASE_URL", "postgres://nexus:nexus@127.0.0.1:5432/nexus")
try:
    database = dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)
except ValueError as error:
    raise SystemExit(f"DATABASE_URL is malformed: {error}") from None
DATABASES = {"default": dict(database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"  # of the logs, too; the default is America/Chicago

REDIS_URL = env.get("REDIS_URL", "redis://127.0.0.1:6379/0")
TRUSTED_PROXIES = env.get("TRUSTED_PROXIES", "")  # unset: no hop is believed
COUNTRIES = env.get("COUNTRIES", str(Path(__file__).parents[1] / "kept" / "countries.mmdb"))
STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # unset: nobody is staff
# Paths that nobody here has ever linked to.
TRAPS = ("/wp-login.php", "/xmlrpc.php", "/.env", "/.git/config", "/phpmyadmin/")

MINE = env.get("MINE", "")  # the module of a reader's own variant

SECURE_SSL_REDIRECT = env.get("SECURE_SSL_REDIRECT") == "1"
SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # no cookie signs anybody in, so no other site's form can
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
        "kept": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
