"""Real servers for all tests: those at REDIS_URL and DATABASE_URL, which `make test` starts."""

import os

import pytest
from hypothesis import HealthCheck, settings

if not {"REDIS_URL", "DATABASE_URL", "SECRET_KEY"} <= set(os.environ):
    raise pytest.UsageError(
        "run `make test EXAMPLE=ip_blacklisting`, or set REDIS_URL, DATABASE_URL, SECRET_KEY"
    )

# A busy machine may stop a test anywhere; what it takes says nothing about what it finds.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture
def ledger(settings, tmp_path, transactional_db, monkeypatch):  # noqa: ARG001 -- the database
    """An empty list: its changes bear other marks than those of the test before.

    A busy machine may stop Redis for longer than a request waits for it.
    """
    from bans import bell, configured, ledger

    connect = bell.connect
    monkeypatch.setattr(bell, "connect", lambda url, **_: connect(url, timeout_seconds=20))
    configured.redis.cache_clear()
    settings.TRUSTED_PROXIES = "10.0.0.0/8"
    settings.STATE_FOLDER = str(tmp_path)
    made = (configured.proxies, configured.follower)
    for each in made:
        each.cache_clear()
    yield
    ledger._ringer.submit(int).result()  # what has not rung yet would do so in the next test
    for each in made:
        each.cache_clear()
