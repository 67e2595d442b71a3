"""Real servers for all tests: those at REDIS_URL and DATABASE_URL, which `make test` starts."""

import os
import uuid

import pytest

if not {"REDIS_URL", "DATABASE_URL", "SECRET_KEY"} <= set(os.environ):
    raise pytest.UsageError(
        "run `make test EXAMPLE=attack_detection`, or set REDIS_URL, DATABASE_URL, SECRET_KEY"
    )


@pytest.fixture
def redis(settings):
    from kept.redis import connect

    client = connect(settings.REDIS_URL, timeout_seconds=20)
    yield client
    client.close()


@pytest.fixture
def variant():
    """A name of its own: other tests use the same Redis."""
    return uuid.uuid4().hex[:20]
