"""Celery's entry point, which the Procfile starts."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from jobs.transport import app

__all__ = ("app",)
