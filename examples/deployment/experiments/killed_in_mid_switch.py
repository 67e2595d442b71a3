"""The program that switches is killed at each of its steps, while clients go on asking."""

from collections.abc import Iterator
from functools import partial
from threading import Event

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
)

from . import Load, Outcome, Work, begin, killed, none_of

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
        orders = [partial(self._killed, stack, step) for step in STEPS]
        wrong = judged = 0
        with Load(stack, rate=120, clients=12) as load, Work(*orders) as work:
            for batch in load.during(work):
                yield self.failed(sum(got.failed for got in batch))
                for left in work.outcomes[judged:]:
                    # Whatever an earlier kill has left may be in the way of the next switch.
                    if left.refused and not wrong:
                        raise ExperimentError(left.refused)
                    judged += 1
                    wrong += bool(left.refused) or left.releases != [left.live]
                    yield self.wrong(wrong, x=judged)

    def _killed(self, stack: Stack, step: str, _: Event) -> Outcome:
        return killed(stack, step)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} of 6 kills left another number of releases than one"
        wrong = none_of(samples.last(self.wrong, 0), samples.over, words, enough=2)
        failed = sum(samples.values(self.failed))
        return wrong.provided(Verdict.at_most(failed, 0, "{measured:request} failed"))
