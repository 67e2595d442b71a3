"""A client that is refused goes on asking, and the commands that Redis runs for it are counted."""

from collections.abc import Iterator
from typing import Any

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
    volley,
)

from . import admitted, forget, sent_by, some_address, url

MOST_COMMANDS = 500
EVERY = 100


class FloodIsCheap(Experiment):
    slug = "flood-is-cheap"
    claim = "1,000 requests of a client that is refused cost Redis at most 500 commands."
    holds = ("token_bucket",)
    refuted = ("fixed_window",)
    commands = Series("commands")
    refused = Series("requests")
    chart = Chart(commands, "commands that Redis ran", x="requests answered", bound=MOST_COMMANDS)
    parameters = (Parameter("flood", 1000, 500, 10_000, "requests"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        request = Request(url(stack, variant), sent_by(some_address()))
        for answer in volley([request] * 150, processes=1, connections=1):
            admitted(answer)
        yield clock_starts()
        with Redis.from_url(stack.services["redis"]) as store:
            before, refused = ran(store), 0
            flood = volley([request] * int(params["flood"]), processes=4, connections=5)
            for number, answer in enumerate(flood, 1):
                refused += not admitted(answer)
                if number % EVERY == 0:
                    yield self.refused(refused)
                    yield self.commands(ran(store) - before, x=number)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        refused = samples.last(self.refused)
        words = f"{{measured}} commands for {refused:,.0f} refused requests, {{bound}} allowed"
        return Verdict.at_most(samples.last(self.commands), MOST_COMMANDS, words)


def ran(store: "Redis") -> int:
    """Return how many commands Redis has run, scripts' own among them, without what asks."""
    stats: Any = store.info("commandstats")
    return sum(row["calls"] for name, row in stats.items() if name != "cmdstat_info")
