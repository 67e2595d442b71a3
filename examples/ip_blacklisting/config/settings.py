"""Wire the guarded flight API together; what differs between machines comes from the environment."""

import tempfile
from os import environ as env
from pathlib import Path

import dj_database_url
from redis.backoff import NoBackoff
from redis.retry import Retry

DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = ["django_blocklist", "bans", "flights"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "flights.middleware.GuardMiddleware",  # before everything that costs something
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASE_URL = env.get("DATABASE_URL", "postgres://nexus:nexus@127.0.0.1:5432/nexus")
try:
    # A connection for each thread, kept: opening one costs more than a request.
    database = dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)
except ValueError as error:
    raise SystemExit(f"DATABASE_URL is malformed: {error}") from None
# A run of a million networks travels as it is, and not as text several times its size.
options = {"connect_timeout": 2, **database.get("OPTIONS", {}), "server_side_binding": True}
DATABASES = {"default": {**database, "OPTIONS": options}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"  # of the logs, too; the default is America/Chicago

# The solution.
REDIS_URL = env.get("REDIS_URL", "redis://127.0.0.1:6379/0")
TRUSTED_PROXIES = env.get("TRUSTED_PROXIES", "")  # unset: no hop is believed
# The one header that the proxies write; a client may send the other one through them.
CLIENT_HEADER = env.get("CLIENT_HEADER", "HTTP_X_FORWARDED_FOR")
STATE_FOLDER = env.get("STATE_FOLDER", str(Path(tempfile.gettempdir()) / "ip_blacklisting"))
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 2**20  # a feed of a million networks
STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # unset: nobody is staff

MINE = env.get("MINE", "")  # the module of a reader's own variant

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
    }
}
BLOCKLIST_CONFIG = {"cooldown": 7}
SECURE_SSL_REDIRECT = env.get("SECURE_SSL_REDIRECT") == "1"
SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # no CSRF middleware: nobody is recognised by a cookie
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
