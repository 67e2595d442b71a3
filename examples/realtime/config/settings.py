"""Wire the boards together; what differs between machines comes from the environment.

A mistake in it ends the process with one sentence.
"""

import sys
from os import environ as env
from typing import Any

import dj_database_url
from redis import Redis

DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # of the desk; without one, nobody may change a flight

ROOT_URLCONF = "config.urls"
MINE = env.get("MINE", "")  # the module of a reader's own variant
INSTALLED_APPS = ["flights"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TIME_ZONE = "UTC"

try:
    # An empty address would be no database at all, and an error only at the first query.
    url = env.get("DATABASE_URL") or "postgres://nexus:nexus@127.0.0.1:5432/nexus"
    database: dict[str, Any] = {
        **dj_database_url.parse(url, conn_max_age=600, conn_health_checks=True)
    }
except ValueError:
    database = {}
if not (
    database.get("ENGINE", "").endswith(".postgresql") and database["HOST"] and database["NAME"]
):
    sys.exit("DATABASE_URL is no address like postgres://user:password@host:5432/name.")
# A server that is gone without a word is given up after seconds; kernels wait for 15 minutes.
GIVE_UP = {
    "connect_timeout": 5,
    "tcp_user_timeout": 5_000,  # milliseconds, where something was sent
    "keepalives_idle": 2,  # seconds, where an answer is waited for
    "keepalives_interval": 1,
}
database["OPTIONS"] = GIVE_UP | database.get("OPTIONS", {})
DATABASES = {"default": database}

REDIS_URL = env.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
try:
    Redis.from_url(REDIS_URL).close()
except ValueError:
    sys.exit("REDIS_URL is no address like redis://:password@host:6379/0.")

# Of the naive variants, as their documentation says.
CHANNEL_LAYERS = {
    name: {"BACKEND": f"channels_redis.{backend}", "CONFIG": {"hosts": [REDIS_URL]}}
    for name, backend in (
        ("default", "core.RedisChannelLayer"),
        ("pubsub", "pubsub.RedisPubSubChannelLayer"),
    )
}

SECURE_SSL_REDIRECT = env.get("SECURE_SSL_REDIRECT") == "1"
SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # no CSRF middleware: no cookies, no forms; the desk has a token
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
        "boards": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
