"""The real PostgreSQL at DATABASE_URL, prepared as a release does it; tests make users of their own."""

import os
import uuid

import pytest

if not os.environ.get("DATABASE_URL"):
    raise pytest.UsageError("the tests need a PostgreSQL server: set DATABASE_URL")
# Before Django is set up, since the settings read the environment when they are imported.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", uuid.uuid4().hex * 2)
os.environ.setdefault("STAFF_TOKEN", uuid.uuid4().hex)

import django

django.setup()  # pytest-django looks for settings before this file has named them

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from flights import configured  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _prepared(django_db_blocker):
    with django_db_blocker.unblock():
        call_command("prepare")
        yield
        connections.close_all()


@pytest.fixture(name="connection")
def _connection():
    return connection


@pytest.fixture(autouse=True)
def fresh_gate(tmp_path, monkeypatch):
    """A gate of each test's own: no other process of this machine is in its way."""
    gate = configured.Gate(tmp_path)
    monkeypatch.setattr(configured, "gate", lambda: gate)
    return gate


@pytest.fixture
def user():
    """The id of a user, new for each test, with the password of all."""
    users = get_user_model().objects.using("owner")
    password = users.get(username="staff").password
    return users.create(username=uuid.uuid4().hex, password=password).pk


@pytest.fixture
def old_hash(user):
    """Have the user's hash as a release stored it that asked for fewer rounds; return what signs in."""
    users, password = get_user_model().objects.filter(pk=user), os.environ["STAFF_TOKEN"]
    users.update(password=PBKDF2PasswordHasher().encode(password, "salt", iterations=1_000))
    return {"username": users.get().username, "password": password}


@pytest.fixture
def issued(user, begin):
    return begin(user)


@pytest.fixture
def begin(connection):
    """Begin a session of a user by its id, as a login does."""

    def begun(pk):
        password = get_user_model().objects.get(pk=pk).password
        return configured.families().begin(connection, pk, password)

    return begun


@pytest.fixture
def token(issued):
    return configured.access().sign(issued.claims)


@pytest.fixture
def tokens_of(begin):
    """An access token of one of the loaded users."""

    def access(name):
        return configured.access().sign(
            begin(get_user_model().objects.get(username=name).pk).claims
        )

    return access
