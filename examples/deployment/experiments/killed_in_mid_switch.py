"""The program that switches is killed at each of its steps, while clients go on asking."""

import json
from collections.abc import Iterator
from typing import Any

from nexus.experiment import (
    Chart,
    Experiment,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
)

from . import AT_THE_SUPERVISOR, Load, Work, at, begin

STEPS = ("starting", "gating", "trying", "switching", "draining", "stopping")


class KilledInMidSwitch(Experiment):
    slug = "killed-in-mid-switch"
    claim = "Whoever kills the switch at any of its six steps leaves one live release, and no request fails."
    holds = ("blue_green",)
    refuted = ("script",)
    failed = Series("requests")
    wrong = Series("kills", "kills that left another number of releases than one")
    chart = Chart(wrong, "kills that left another number of releases than one", x="kills")

    reports = (
        (
            "basecamp/kamal#450",
            "a deployment that was interrupted leaves older containers, until another one is made",
            "the supervisor ends what a dead switch has begun, or takes it back",
        ),
        (
            "wowu/docker-rollout#25",
            "after a rollout containers remain, nobody knows why",
            "one release is left after a kill at each step",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        yield clock_starts()
        with Load(stack, rate=200, clients=60) as load, Work(lambda _: drilled(stack)) as work:
            for batch in load.during(work):
                yield self.failed(sum(got.failed for got in batch))
        wrong = 0
        for number, left in enumerate(work.outcomes[0], 1):
            wrong += left["running"] != [left["live"]]
            yield self.wrong(wrong, x=number)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} of 6 kills left another number of releases than one"
        wrong = Verdict.at_most(samples.last(self.wrong), 0, words)
        failed = sum(samples.values(self.failed))
        return wrong.provided(Verdict.at_most(failed, 0, "{measured:request} failed"))


def drilled(stack: Stack) -> list[dict[str, Any]]:
    """Have a switch killed at each step; return what each has left."""
    call = f"drill({', '.join(map(repr, STEPS))})"
    left: list[dict[str, Any]] = json.loads(stack.manage(*at(AT_THE_SUPERVISOR, call)))
    return left
