"""Fixtures of the service: the site in this process, and clients that nobody else is."""

import random
from functools import wraps
from ipaddress import IPv6Address

import django
import pytest
from django.test import Client

django.setup()  # pytest-django looks for settings before conftest.py has named them

from flights import configured  # noqa: E402 -- needs the settings
from limiter.token_bucket import TokenBucket  # noqa: E402

PATIENCE_SECONDS = 20
NOW_US = 60_000_000_000_000


class Site:
    """The service as a client sees it."""

    def get(self, path, **extra):
        return Client(raise_request_exception=False).get(path, **extra)

    def airport(self, variant, rules="", code="JFK", *, address, **extra):
        part = f"{rules}/" if rules else ""
        path = f"/api/{variant}/{part}airports/{code}/"
        return self.get(path, REMOTE_ADDR=address, **extra)


@pytest.fixture(scope="session", autouse=True)
def _patient():
    """A busy machine may stop a test for longer than a decision may take."""
    configured.store().timeout_seconds = PATIENCE_SECONDS
    configured.redis().connection_pool.connection_kwargs.update(
        socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )


@pytest.fixture
def still(monkeypatch):
    """However long a test takes, no token comes back meanwhile."""
    take = TokenBucket.take

    @wraps(take)
    def at_once(self, name, cost=1, now_us=NOW_US):
        return take(self, name, cost, now_us=now_us)

    monkeypatch.setattr(TokenBucket, "take", at_once)


@pytest.fixture
def site(still):  # noqa: ARG001 -- set up before
    return Site()


@pytest.fixture
def address(still):  # noqa: ARG001 -- set up before
    """Some /64 of the documentation block (RFC 3849): a client of its own for each test."""
    return str(IPv6Address("2001:db8::") + (random.getrandbits(32) << 64))
