"""Real servers for all tests: those at REDIS_URL and DATABASE_URL, which `make test` starts."""

import os
import time

import pytest

if not {"REDIS_URL", "DATABASE_URL", "SECRET_KEY"} <= set(os.environ):
    raise pytest.UsageError(
        "run `make test EXAMPLE=ip_blacklisting`, or set REDIS_URL, DATABASE_URL, SECRET_KEY"
    )


def wait_until(condition, deadline_seconds=10):
    deadline = time.monotonic() + deadline_seconds
    while not condition():
        assert time.monotonic() < deadline, f"{condition} is not true after {deadline_seconds} s"
        time.sleep(0.005)


@pytest.fixture(name="wait_until")
def _wait_until():
    return wait_until


@pytest.fixture
def ledger(settings, transactional_db):  # noqa: ARG001 -- the database
    """An empty list of its own: another epoch, and so another stream."""
    from bans import wiring
    from django.db import connection

    parts = connection.settings_dict
    settings.DATABASE_URL = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**parts)
    settings.TRUSTED_PROXIES = "10.0.0.0/8"
    wiring.proxies.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("UPDATE bans_epoch SET id = gen_random_uuid()")
    yield
    wiring.folder.cache_clear()
    with connection.cursor() as cursor:
        # pytest-django empties the tables now, which triggers forbid.
        cursor.execute("SET session_replication_role = replica")
