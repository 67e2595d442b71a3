"""Fixtures of the service: the site in this process, and clients that nobody else is."""

import random
from ipaddress import IPv6Address

import django
import pytest
from django.test import Client

django.setup()  # pytest-django looks for settings before conftest.py has named them

from flights import configured  # noqa: E402 -- needs the settings


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
    configured.store()._timeout_seconds = 2


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def address():
    """Some /64 of the documentation block (RFC 3849): a client of its own for each test."""
    return str(IPv6Address("2001:db8::") + (random.getrandbits(32) << 64))
