"""200,000 clients of IPv6, which one host can be."""

import json
import random
from collections.abc import Iterator
from itertools import batched

from redis import Redis

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    until,
)

CLIENTS, FAIL = 200_000, 30_000
MEGABYTES = 25
ROWS = 500


class MemoryIsBounded(Experiment):
    slug = "memory-is-bounded"
    claim = (
        "200,000 /64s, of which 30,000 fail to log in, take at most 25 MB of the keeper's memory, which "
        "knows 10,000 of them."
    )
    holds = ("detector",)
    refuted = ("thresholds",)
    reports = (
        (
            "okTurtles/group-income#2832",
            "a limiter that remembers every address of IPv6 grows until it ends",
            "10,000 clients are remembered, the latest",
        ),
    )
    grown = Series("MB")
    chart = Chart(grown, "MB more of the keeper's memory", x="clients")
    parameters = (Parameter("clients", CLIENTS, CLIENTS, 2_000_000, "clients"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        stack.restart("keeper")
        with Redis.from_url(stack.services["redis"]) as store:
            store.delete("keeper")
            before = peak(store)
            yield clock_starts()
            sent = 0
            for rows in batched(sightings(int(params["clients"])), ROWS, strict=False):
                store.xadd(f"seen:{variant}", {"rows": json.dumps(rows)})
                sent += len(rows)
                if sent % 20_000 == 0:
                    wait(store, variant)
                    grown = (peak(store) - before) / 1_000
                    yield self.grown(grown, x=sent)
                    if grown > 2 * MEGABYTES:
                        return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} MB more of the keeper's memory, {bound} allowed"
        return Verdict.at_most(samples.last(self.grown), MEGABYTES, words)


def sightings(clients: int) -> Iterator[list[object]]:
    """Yield what processes would have seen of /64s, sixteen of each /48."""
    run = random.randrange(2**16)
    for number in range(clients):
        client = f"2001:{run:x}:{number >> 4:x}:{number & 15:x}::/64".replace(":0::", "::")
        if number < FAIL:
            yield [client, "login failed", "/login/", f"account {number}", "address", 401]
        else:
            yield [client, "ok", "/", "", "address", 200]


def peak(store: "Redis") -> int:
    """Return the most memory that the keeper has had, in kB, as it says next."""
    told = store.hget("keeper", "at")
    if not until(lambda: store.hget("keeper", "at") not in (None, told), 60):
        raise ExperimentError("the keeper has said nothing for 60 s")
    return int(store.hget("keeper", "peak_kb") or 0)  # type: ignore[arg-type]  # typed for both clients


def wait(store: "Redis", variant: str) -> None:
    if not until(lambda: store.xlen(f"seen:{variant}") == 0, 60):
        raise ExperimentError("the keeper does not take what was sent within 60 s")
