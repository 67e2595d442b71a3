"""One client sends a lot, and is weighed in Redis; then a crowd comes once, and has to be forgotten."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from redis import Redis

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    until,
    volley,
)

from . import admitted, forget, sent_by, some_address, url, warm

MOST_BYTES = 96
EVERY = 200  # requests of the one client from measurement to measurement
GONE_SECONDS = 4.0  # the TTL of one request against 5,000 per hour is 0.72 s


class MemoryIsFlat(Experiment):
    slug = "memory-is-flat"
    claim = (
        "A client takes at most 96 bytes in Redis however much it sends against a limit of 5,000, "
        "and 1,000 clients are gone after their TTL."
    )
    holds = ("token_bucket",)
    refuted = ("drf_throttle",)
    size = Series("bytes in Redis of one client")
    clients_left = Series("keys in Redis")
    chart = Chart(
        size,
        "bytes in Redis of one client",
        x="requests it has sent",
        bound=MOST_BYTES,
        logarithmic=True,
    )
    parameters = (
        Parameter("requests", 600, 400, 5000, "requests"),
        Parameter("clients", 1000, 500, 20_000, "clients"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        target, headers = url(stack, variant, "bulk"), sent_by(some_address())
        warm([target])
        forget(stack)
        yield clock_starts()
        # Few connections: simultaneous requests lose what a read-modify-write overwrites.
        one_client = volley(
            [Request(target, headers)] * int(params["requests"]), processes=1, connections=4
        )
        with Redis.from_url(stack.services["redis"]) as store:
            for number, answer in enumerate(one_client, 1):
                if admitted(answer) and number % EVERY == 0:
                    used = sum(store.memory_usage(key) or 0 for key in buckets(store))
                    yield self.size(used, x=number)
            forget(stack)
            crowd = [
                Request(target, sent_by(str(IPv4Address("198.18.0.0") + number)))
                for number in range(int(params["clients"]))
            ]
            for answer in volley(crowd, processes=4, connections=10):
                admitted(answer)
            until(lambda: not buckets(store), GONE_SECONDS)
            yield self.clients_left(len(buckets(store)))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        used = samples.last(self.size)
        sent = samples.of(self.size)[-1].x or 0
        flat = Verdict.at_most(
            used, MOST_BYTES, f"{{measured}} bytes after {sent:,.0f} requests, {{bound}} allowed"
        )
        if not flat.holds:
            return flat
        left = samples.last(self.clients_left)
        return flat & Verdict.at_most(
            left, 0, f"{{measured}} of {params['clients']:,.0f} clients left"
        )


def buckets(store: Redis) -> list[bytes]:
    """Return the keys that count a client: the token bucket's hash-tagged ones, DRF's throttle lists."""
    return [
        key for key in store.scan_iter(count=5000) if key.startswith(b"rl{") or b"throttle" in key
    ]
