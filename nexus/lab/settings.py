"""Django settings of the lab: pages for one person at one machine, no database, nothing from elsewhere."""

import secrets
from pathlib import Path

from django.core.management.utils import get_random_secret_key
from django.utils.csp import CSP

HERE = Path(__file__).resolve().parent

SECRET_KEY = get_random_secret_key()  # signs nothing that has to outlive the process
LAB_KEY = secrets.token_urlsafe(16)  # in the address that the terminal prints
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]  # any other name is somebody else's page (DNS rebinding)
ROOT_URLCONF = "nexus.lab.urls"
INSTALLED_APPS = ["nexus.lab"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.common.CommonMiddleware",
    "nexus.lab.access.AccessMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
    }
]
STATIC_ROOT = HERE / "static"
USE_I18N = False
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    # Charts and diagrams are SVG with style attributes.
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:"],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
# The terminal belongs to the harness: refusals are for the page that caused them, mistakes are for both.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"terminal": {"class": "logging.StreamHandler"}},
    "loggers": {
        "django": {"handlers": ["terminal"], "level": "ERROR", "propagate": False},
        "django.security": {"level": "CRITICAL"},
    },
}
