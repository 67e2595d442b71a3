"""Real servers for all tests: those at REDIS_URL and DATABASE_URL, which `make test` starts."""

import os
import time
import uuid

import pytest
from layers.layered import LayeredCache
from layers.local_layer import LocalLayer
from layers.redis_layer import RedisLayer, bypassed
from layers.values import Value
from redis import Redis

if not {"REDIS_URL", "DATABASE_URL", "SECRET_KEY"} <= set(os.environ):
    raise pytest.UsageError(
        "run `make test EXAMPLE=caching`, or set REDIS_URL, DATABASE_URL, SECRET_KEY"
    )


def wait_until(condition, deadline_seconds=60):
    deadline = time.monotonic() + deadline_seconds
    while not condition():
        assert time.monotonic() < deadline, f"{condition} is not true after {deadline_seconds} s"
        time.sleep(0.005)


@pytest.fixture(name="wait_until")
def _wait_until():
    return wait_until


@pytest.fixture(autouse=True)
def _nothing_was_said():
    """Let each test hear why Redis is bypassed: it is said once."""
    bypassed.cache_clear()


@pytest.fixture
def redis():
    with Redis.from_url(os.environ["REDIS_URL"]) as client:
        yield client


@pytest.fixture
def emptied():
    """Empty the server of the service, and let the service know it again.

    Who connects to one that it does not know purges everything: now, and not in the middle of a test.
    """
    from flights import configured

    configured.redis.flushall()
    configured.redis.connection_pool.disconnect(inuse_connections=False)
    configured.redis.ping()
    wait_until(lambda: configured.cache().local.epoch is not None)


@pytest.fixture
def shared(redis):
    return RedisLayer(redis)


@pytest.fixture
def key():
    """A key of its own for each test: the server is shared, and never flushed."""
    return f"test:{uuid.uuid4().hex}"


@pytest.fixture
def value(key):
    return Value(b"version 1", (key, f"country:{key}"))


@pytest.fixture
def local():
    layer = LocalLayer(100_000)
    layer.clear(up=True)
    return layer


@pytest.fixture
def cache(redis):
    """A cache that hears of purges."""
    cache = LayeredCache(redis, in_transaction=lambda: False, patience_seconds=60)
    wait_until(lambda: cache.local.epoch is not None)
    return cache
