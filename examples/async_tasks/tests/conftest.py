"""Real servers for all tests: those at REDIS_URL and DATABASE_URL, which `make test` starts."""

import os
import uuid
from urllib.parse import quote

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from jobs.backoff import Backoff
from jobs.run import Policy
from jobs.submit import submit
from jobs.topology import BULK

if not {"REDIS_URL", "DATABASE_URL", "SECRET_KEY"} <= set(os.environ):
    raise pytest.UsageError(
        "run `make test EXAMPLE=async_tasks`, or set REDIS_URL, DATABASE_URL, SECRET_KEY"
    )

# A busy machine may stop a test anywhere; what it takes says nothing about what it finds.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture
def policy():
    return Policy(lease_seconds=60, most_attempts=3, backoff=Backoff(8, 120))


@pytest.fixture(scope="session")
def database_url(django_db_setup):  # noqa: ARG001
    """The database of the tests, for processes that they start."""
    at = connection.get_connection_params()
    return (
        f"postgres://{at['user']}:{quote(at['password'])}@{at['host']}:{at['port']}/{at['dbname']}"
    )


@pytest.fixture
def job(transactional_db):  # noqa: ARG001
    """A job of the kind `test`, in the outbox."""
    return submit("test", {"month": 1}, queue=BULK, key=uuid.uuid4().hex)
