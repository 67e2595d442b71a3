"""The real flights in the real PostgreSQL at DATABASE_URL: loaded once, and no test changes them."""

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
from django.test.utils import setup_databases, teardown_databases  # noqa: E402
from flights.loading import load  # noqa: E402


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker):  # noqa: ARG001 -- set up before
    """A database of the tests' own, also where pytest-django sees no test that asks for one."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def loaded(django_db_setup, django_db_blocker):  # noqa: ARG001 -- set up before
    """How many flights were loaded."""
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        return load(cursor)


@pytest.fixture
def outside(loaded, django_db_blocker):  # noqa: ARG001 -- set up before
    """The connection, without a transaction around the test: what it changes, it has to put back."""
    with django_db_blocker.unblock():
        yield connection
