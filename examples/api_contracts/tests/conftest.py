"""The real flights in the real PostgreSQL at DATABASE_URL; what a test changes is rolled back."""

import os
import uuid

import pytest

if not os.environ.get("DATABASE_URL"):
    raise pytest.UsageError("the tests need a PostgreSQL server: set DATABASE_URL")
# Before Django is set up, since the settings read the environment when they are imported.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", uuid.uuid4().hex * 2)

import django

django.setup()  # pytest-django looks for settings before this file has named them

from django.db import connection, transaction  # noqa: E402
from flights.loading import load  # noqa: E402


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):  # noqa: ARG001 -- set up before
    """The flights are loaded once."""
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        load(cursor)
