"""Wire the reports together; what differs between machines comes from the environment."""

from os import environ as env

import dj_database_url

DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = [
    "rest_framework",
    "jobs",
    "reports",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASE_URL = env.get("DATABASE_URL", "postgres://nexus:nexus@127.0.0.1:5432/nexus")
DATABASES = {
    "default": dict(dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True))
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"  # of the logs, too; the default is America/Chicago

TASKS = {
    "default": {
        "BACKEND": "jobs.django_tasks.OutboxBackend",
        "QUEUES": ["jobs.bulk", "jobs.quick"],
    }
}

STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # unset: nobody is staff
# RabbitMQ; where there is none, a server of the Redis protocol.
BROKER_URL = env.get("CELERY_BROKER_URL") or env.get("REDIS_URL") or "amqp://guest@127.0.0.1:5672//"
if not BROKER_URL.startswith(("amqp://", "amqps://", "redis://", "rediss://")):
    raise SystemExit("CELERY_BROKER_URL has to begin with amqp:// or redis://.")
MINE = env.get("MINE", "")  # the module of a reader's own variant
JOBS = "reports.work.WORK"  # what is done, by the kind of a job

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,  # the default comes from contrib.auth, which is not installed
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["reports.asked.Json"],
    "EXCEPTION_HANDLER": "reports.problems.handler",
}

SECURE_SSL_REDIRECT = env.get("SECURE_SSL_REDIRECT") == "1"
SECURE_HSTS_SECONDS = 30 * 86_400  # sent over HTTPS only
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # no CSRF middleware: no cookies, no sessions, no forms
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
        "jobs": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}
