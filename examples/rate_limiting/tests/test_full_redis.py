"""What a limit is worth when Redis has no memory left, by its maxmemory-policy."""

import pytest
from limiter.breaker import Breaker
from limiter.limiter import Limiter
from limiter.policy import Policy, Rate, RuleSet
from limiter.store import StoreFailure
from limiter.token_bucket import TokenBucket

BURST = 20
RULES = RuleSet("daily", (Policy("daily", BURST, Rate(BURST, 86_400)),))
ROOM_BYTES = 2**18


def fill(bucket, server):
    """Ask as one client after another until Redis refuses or forgets."""
    with server.client() as watcher:
        for number in range(40_000):
            try:
                bucket.take(f"client-{number}")
            except StoreFailure:
                return
            if number % 1_000 == 0 and watcher.info("stats")["evicted_keys"] > 10_000:
                return
    raise AssertionError("Redis never ran full")


@pytest.mark.report(
    "redis/redis#8623",
    "Redis runs full, and what happens then depends on its maxmemory-policy",
    "with `volatile-ttl`, which the page recommends, a client without tokens stays without",
)
@pytest.mark.parametrize(
    ("policy", "admitted_again"),
    [("noeviction", BURST), ("allkeys-lru", BURST), ("volatile-ttl", 0)],
)
def test_a_drained_client_when_redis_is_full(start_server, patient, secret, policy, admitted_again):
    server = start_server("--maxmemory-policy", policy, "--maxmemory-samples", "10")
    store = patient(server.url)
    bucket = TokenBucket(RULES, store, secret=secret)
    bucket.take("drained", cost=BURST)
    with server.client() as watcher:
        watcher.config_set("maxmemory", watcher.info("memory")["used_memory"] + ROOM_BYTES)
    fill(bucket, server)

    store = patient(server.url, breaker=Breaker(failures=1))
    limiter = Limiter(RULES, store, secret=secret)
    any(limiter.decide(f"new-{number}").degraded for number in range(1_000))
    admitted = sum(limiter.decide("drained").allowed for _ in range(2 * BURST))

    assert admitted == admitted_again
