"""The real flights in the real PostgreSQL at DATABASE_URL: loaded once, each test within a transaction."""

import json
import os
import uuid

import pytest

if not os.environ.get("DATABASE_URL"):
    raise pytest.UsageError("the tests need a PostgreSQL server: set DATABASE_URL")
# Before Django is set up, since the settings read the environment when they are imported.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", uuid.uuid4().hex * 2)
os.environ["STAFF_TOKEN"] = "token-of-the-tests"

import django

django.setup()  # pytest-django looks for settings before this file has named them

from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from flights.loading import load  # noqa: E402


@pytest.fixture(scope="session")
def loaded(django_db_setup, django_db_blocker):  # noqa: ARG001 -- set up before
    """How many flights were loaded."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        with transaction.atomic():
            rows = load(cursor, 20_000)
        cursor.execute("ANALYZE")
    return rows


class Site:
    """The service as a client sees it."""

    STAFF = os.environ["STAFF_TOKEN"]

    def post(self, body, token="", variant="priced", media="application/json"):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = Client(raise_request_exception=False, headers=headers)
        return client.post(f"/api/{variant}/", body, content_type=media)

    def ask(self, query, token="", variant="priced", **more):
        """Return the status and what is said."""
        answer = self.post(json.dumps({"query": query, **more}), token, variant)
        return answer.status_code, answer.json()

    def data(self, query, token="", **more):
        status, said = self.ask(query, token, **more)
        assert (status, said.get("errors")) == (200, None)
        return said["data"]

    def statements(self, query):
        answer = self.post(json.dumps({"query": query}), self.STAFF)
        assert answer.status_code == 200, answer.content
        return answer["Server-Timing"].split(";")[1].split(",")[0]


@pytest.fixture
def site(loaded, db):  # noqa: ARG001 -- set up before
    return Site()
