"""The real PostgreSQL at DATABASE_URL, which `make test` starts."""

import os

import pytest
from hypothesis import HealthCheck, settings

if not {"DATABASE_URL", "SECRET_KEY"} <= set(os.environ):
    raise pytest.UsageError("run `make test EXAMPLE=deployment`, or set DATABASE_URL, SECRET_KEY")
# Before Django is set up, since the settings read the environment when they are imported.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()  # pytest-django looks for settings before this file has named them

# A busy machine may stop a test anywhere; what it takes says nothing about what it finds.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
