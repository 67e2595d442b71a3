"""The real flights in the real PostgreSQL at DATABASE_URL: loaded once, and no test changes them."""

import os
import uuid
from typing import ClassVar

import pytest

if not os.environ.get("DATABASE_URL"):
    raise pytest.UsageError("the tests need a PostgreSQL server: set DATABASE_URL")
# Before Django is set up, since the settings read the environment when they are imported.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", uuid.uuid4().hex * 2)
os.environ["STAFF_TOKEN"] = "token-of-the-tests"

import django
from django.conf import settings

# Watches relations where a test asks it to; it needs the other for relations that nothing here has.
settings.INSTALLED_APPS += ["django.contrib.contenttypes", "zeal"]
django.setup()  # pytest-django looks for settings before this file has named them

from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402
from flights.optimized import Optimized  # noqa: E402
from loading import files  # noqa: E402
from loading.load import load  # noqa: E402
from plans.capture import captured  # noqa: E402


@pytest.fixture(scope="session")
def loaded(django_db_setup, django_db_blocker):  # noqa: ARG001 -- set up before
    """Everything is loaded."""
    with django_db_blocker.unblock():
        load(files.blocks("flights"))
    yield
    connections["pooled"].close_pool()


@pytest.fixture
def flights(loaded, db, monkeypatch):  # noqa: ARG001 -- set up before
    """The loaded tables, within a transaction that is rolled back."""
    # One connection for all variants: what a test changes, all of them see.
    monkeypatch.setattr(Optimized, "database", "default")
    with connections["default"].cursor() as cursor:
        yield cursor


class Site:
    """The service as a client sees it."""

    STAFF: ClassVar = {"Authorization": f"Bearer {os.environ['STAFF_TOKEN']}"}

    def get(self, path, **headers):
        return Client(raise_request_exception=False, headers=headers).get(path)

    def queries(self, path):
        """Return the answer to `path`, and how many statements it took."""
        with captured() as found:
            answer = self.get(path)
        assert answer.status_code == 200, answer.content
        return answer, len(found)


@pytest.fixture
def site(flights):  # noqa: ARG001 -- set up before
    return Site()
