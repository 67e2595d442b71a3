"""Wire the reports together; what differs between machines comes from the environment."""

from os import environ as env

import dj_database_url


def number(name: str, default: float) -> float:
    """Return a positive number of the environment; end with one sentence if it is none."""
    try:
        value = float(env.get(name) or default)
    except ValueError:
        value = -1
    if not 0 < value < float("inf"):
        raise SystemExit(f"{name} has to be a number above 0, not {env[name]!r}.")
    return value


DEBUG = env.get("DEBUG") == "1"
SECRET_KEY = env.get("SECRET_KEY") or ("only-for-debugging-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "jobs",
    "reports",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
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
        "QUEUES": ["jobs.bulk", "jobs.urgent"],
    }
}

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # the assets of Swagger UI and ReDoc, straight from their package

STAFF_TOKEN = env.get("STAFF_TOKEN", "")  # unset: nobody is staff
# RabbitMQ; where there is none, a server of the Redis protocol.
BROKER_URL = env.get("CELERY_BROKER_URL") or env.get("REDIS_URL") or "amqp://guest@127.0.0.1:5672//"
if not BROKER_URL.startswith(("amqp://", "amqps://", "redis://", "rediss://")):
    raise SystemExit("CELERY_BROKER_URL has to begin with amqp:// or redis://.")
RABBITMQ_MANAGEMENT_URL = env.get("RABBITMQ_MANAGEMENT_URL", "")  # with user and password
if RABBITMQ_MANAGEMENT_URL and not RABBITMQ_MANAGEMENT_URL.startswith(("http://", "https://")):
    raise SystemExit("RABBITMQ_MANAGEMENT_URL has to begin with http:// or https://.")

LEASE_SECONDS = number("LEASE_SECONDS", 5)  # a run that says nothing for so long is lost
MOST_ATTEMPTS = int(number("MOST_ATTEMPTS", 8))  # of a job that fails for a while
MOST_LOSSES = int(number("MOST_LOSSES", 3))  # of a job whose runs end without a word
BACKOFF_SECONDS = number("BACKOFF_SECONDS", 12)
BACKOFF_CAP_SECONDS = number("BACKOFF_CAP_SECONDS", 120)
UNSEEN_SECONDS = number("UNSEEN_SECONDS", 5)  # sent, not begun, and its queue is empty: lost
KEEP_DAYS = number("KEEP_DAYS", 30)  # a job that has ended; its effect is not the keeper's
SOFT_LIMIT_SECONDS = number("SOFT_LIMIT_SECONDS", 300)
HARD_LIMIT_SECONDS = number("HARD_LIMIT_SECONDS", 330)  # below RabbitMQ's consumer timeout, 30 min
SOFT_SHUTDOWN_SECONDS = number("SOFT_SHUTDOWN_SECONDS", 3)  # below the grace of whoever stops it
CHILD_MEGABYTES = number("CHILD_MEGABYTES", 200)

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,  # the default comes from contrib.auth, which is not installed
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "reports.problems.handle",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "On-time reports",
    "DESCRIPTION": "One long job, three ways to do it off the request or not.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "APPEND_COMPONENTS": {"securitySchemes": {"staff": {"type": "http", "scheme": "bearer"}}},
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
