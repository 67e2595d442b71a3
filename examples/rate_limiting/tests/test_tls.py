"""A Redis behind TLS and a slow link: connecting takes longer than a decision may."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trustme
from limiter.breaker import Breaker
from limiter.limiter import Limiter
from limiter.policy import OnFailure, Policy, Rate, RuleSet
from limiter.store import RedisStore, client

RULES = RuleSet("tls", (Policy("a", 1_000, Rate(1, 3_600)),))
PATIENCE_SECONDS = 20
ONE_WAY_SECONDS = 0.003
HANDSHAKE_SECONDS = 0.2  # at least: the first bytes each way are held up for half of it
LINK = Path(__file__).with_name("late_link.py")


class Link:
    """A process that listens on loopback and passes everything on, late or with TLS."""

    def __init__(self, target, *, first_seconds=0.0, delay_seconds=0.0, certificate=""):
        delays = str(first_seconds), str(delay_seconds)
        command = [sys.executable, LINK, str(target), *delays, certificate]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def url(start_server, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    ends = Link(start_server().port, certificate=str(certificate))
    slow = Link(ends.port, first_seconds=HANDSHAKE_SECONDS / 2, delay_seconds=ONE_WAY_SECONDS)
    yield f"rediss://127.0.0.1:{slow.port}/0?ssl_ca_certs={tmp_path}/ca.pem"
    slow.close()
    ends.close()


@pytest.mark.report(
    "envoyproxy/ratelimit#978",
    "TLS handshakes take longer than a fixed time-out allows, and it never connects",
    "connecting has a budget of its own: all of 8 threads count exactly at a round trip of 6 ms",
)
def test_eight_threads_count_exactly_over_tls_and_a_slow_link(url, secret):
    redis, connected = client(url, connect_seconds=PATIENCE_SECONDS), []

    def on_connect(connection):
        connection.on_connect()
        connected.append(connection)

    redis.connection_pool.connection_kwargs["redis_connect_func"] = on_connect
    hasty = RedisStore(redis, timeout_seconds=ONE_WAY_SECONDS, breaker=Breaker(failures=100))
    patient = RedisStore(redis, timeout_seconds=PATIENCE_SECONDS)

    # No answer comes in time, and a handshake takes longer still: it is waited for all the same.
    assert asked_by_eight(Limiter(RULES, hasty, secret=b"of others")) == [OnFailure.LOCAL] * 8
    assert len(connected) == 8

    limiter = Limiter(RULES, patient, secret=secret)
    assert asked_by_eight(limiter, times=10) == [None] * 80
    assert limiter.decide("client").outcomes[0].remaining == 1_000 - 81


def asked_by_eight(limiter, times=1):
    """Decide in eight threads at once; return who decided."""
    barrier, degraded = threading.Barrier(8), []

    def ask():
        barrier.wait()
        degraded.extend(limiter.decide("client").degraded for _ in range(times))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return degraded
