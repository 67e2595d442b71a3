"""Fixtures of the HTTP edge: the site in this process, and clients that nobody else is."""

import random
from ipaddress import IPv6Address

import django
import pytest
from django.test import Client
from edge import configured
from limiter.connection import RedisStore

django.setup()  # pytest-django looks for settings before conftest.py has named them


class FakeWatch:
    """Remembers who was observed, and starts no thread."""

    def __init__(self):
        self.seen = []

    def observe(self, caller):
        self.seen.append(caller)


class Site:
    """The service as a client sees it."""

    def __init__(self):
        self.watches = {"ewma": FakeWatch(), "threshold": FakeWatch()}

    def get(self, path, **extra):
        return Client(raise_request_exception=False).get(path, **extra)

    def airport(self, variant, rules="", code="JFK", *, address, **extra):
        part = f"{rules}/" if rules else ""
        path = f"/api/{variant}/{part}airports/{code}/"
        return self.get(path, REMOTE_ADDR=address, **extra)


@pytest.fixture
def site(monkeypatch, redis_url):
    site = Site()
    # A busy machine may stop a test for longer than a decision may take.
    patient = RedisStore(redis_url, timeout_seconds=2)
    monkeypatch.setattr(configured, "store", lambda: patient)
    monkeypatch.setattr(configured, "watch", site.watches.__getitem__)
    forget()
    yield site
    forget()


def forget():
    """Make the next request read the settings again."""
    for cached in (
        configured.breaker,
        configured.limited_paths,
        configured.limiter,
        configured.processes,
        configured.redis,
        configured.rule_sets,
        configured.trusted_proxies,
    ):
        cached.cache_clear()


@pytest.fixture
def address():
    """Some /64 of the documentation block (RFC 3849): a client of its own for each test."""
    return str(IPv6Address("2001:db8::") + (random.getrandbits(32) << 64))
