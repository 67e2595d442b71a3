"""Real servers for all tests: those at REDIS_URL and DATABASE_URL, which `make test` starts."""

import os
import uuid

import pytest
from jobs.backoff import Backoff
from jobs.runs import Policy
from jobs.submit import submit
from jobs.topology import BULK

if not {"REDIS_URL", "DATABASE_URL", "SECRET_KEY"} <= set(os.environ):
    raise pytest.UsageError(
        "run `make test EXAMPLE=async_tasks`, or set REDIS_URL, DATABASE_URL, SECRET_KEY"
    )


@pytest.fixture
def policy():
    return Policy(lease=60, most_attempts=3, most_losses=3, backoff=Backoff(8, 120))


@pytest.fixture
def job(transactional_db):  # noqa: ARG001
    """A job of the kind `test`, and its message in the outbox."""
    found, _ = submit("test", {"month": 1}, queue=BULK, key=uuid.uuid4().hex)
    return found
