"""The real PostgreSQL at DATABASE_URL and the real Redis at REDIS_URL, and rooms of each test's own."""

import os
import random
import secrets
import socket
import uuid
from contextlib import suppress

import pytest

if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
    raise pytest.UsageError("the tests need PostgreSQL and Redis: set DATABASE_URL and REDIS_URL")
# Before Django is set up, since the settings read the environment when they are imported.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", uuid.uuid4().hex * 2)
os.environ["STAFF_TOKEN"] = "the desk's"

import django

django.setup()  # pytest-django looks for settings before this file has named them

from django.db import connection  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402
from flights import configured  # noqa: E402
from flights.models import Flight, Room  # noqa: E402

STAFF = {"Authorization": "Bearer the desk's"}
KEPT: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody else is given: it is kept, and only a server that comes later may listen there."""
    while True:
        kept = socket.socket()
        with suppress(OSError):
            kept.bind(
                ("127.0.0.1", random.randrange(15_000, 32_000))
            )  # no outgoing connection has those
            kept.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # after the bind, which had to be alone
            KEPT.append(kept)
            return int(kept.getsockname()[1])
        kept.close()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker):  # noqa: ARG001 -- set up before
    """A database of the tests' own, also where pytest-django sees no test that asks for one."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture
def outside(django_db_setup, django_db_blocker):  # noqa: ARG001 -- set up before
    """The database without a transaction around the test, as other processes see it."""
    with django_db_blocker.unblock():
        yield connection
        connection.close()


@pytest.fixture
def room(outside):  # noqa: ARG001 -- set up before
    """A room of one flight, AA1, with a name of its own."""
    made = Room.objects.create(name="".join(secrets.choice("ABCDEFGHKLMN") for _ in range(3)))
    Flight.objects.create(room=made, number="AA1", departs="2013-01-01T11:00Z")
    yield made
    made.delete()


@pytest.fixture
def booking(outside):  # noqa: ARG001 -- set up before
    """The room of a booking."""
    made = Room.objects.create(name=f"{secrets.randbelow(10**6):06}")
    Flight.objects.create(room=made, number="AA1", departs="2013-01-01T11:00Z")
    yield made
    made.delete()


@pytest.fixture
def another(outside):  # noqa: ARG001 -- set up before
    """A second connection to the database, as another process has one."""
    with configured.connect() as connection:
        connection.autocommit = False
        yield connection


@pytest.fixture
def stream():
    """A stream of the test's own."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    configured.redis.delete(name)
