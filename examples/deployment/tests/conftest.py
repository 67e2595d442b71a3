"""The real PostgreSQL at DATABASE_URL, which `make test` starts."""

import os

import pytest

if not {"DATABASE_URL", "SECRET_KEY"} <= set(os.environ):
    raise pytest.UsageError("run `make test EXAMPLE=deployment`, or set DATABASE_URL, SECRET_KEY")
# Before Django is set up, since the settings read the environment when they are imported.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()  # pytest-django looks for settings before this file has named them
