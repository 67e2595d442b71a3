"""A Redis behind TLS and a slow link: connecting takes longer than a decision may."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trustme
from limiter.limiter import Limiter
from limiter.policy import Policy, Rate, RuleSet
from limiter.store import RedisStore, client

RULES = RuleSet("tls", (Policy("a", 1_000, Rate(1, 3_600)),))
ONE_WAY_SECONDS = 0.003
HANDSHAKE_SECONDS = 5.5  # at least: the first bytes each way are held up for half of it
DECISION_SECONDS = 5.0  # less than that
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
    redis = client(url, connect_seconds=20)
    store = RedisStore(redis, timeout_seconds=DECISION_SECONDS)
    limiter = Limiter(RULES, store, secret=secret)
    barrier, degraded = threading.Barrier(8), []

    def ask():
        barrier.wait()
        degraded.extend(limiter.decide("client").degraded for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert degraded == [None] * 80
