"""Restart the processes that 240 displays listen to, while their room changes."""

import time
from bisect import bisect
from collections.abc import Iterator

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
    rest,
)

from . import PATIENCE_SECONDS, Display, all_joined, change, desk, displays, rooms, socket

CLIENTS, CHANGES, PER_SECOND, MOST = 240, 30, 4, 100


class ADeployIsNoStampede(Experiment):
    slug = "a-deploy-is-no-stampede"
    claim = (
        "When the processes are restarted, 240 displays are closed with 1012 and come back at times of their "
        "own, at most 100 in a second; none needs the state again, and none misses a change."
    )
    holds = ("boards",)
    refuted = ("channels",)
    came = Series("attempts to come back")
    most = Series("attempts in one second, the most so far")
    closed = Series("displays closed with 1012")
    states = Series("states read again for a display")
    missed = Series("changes missed")
    reports = (
        (
            "BasedHardware/omi#5520",
            "after a deployment all clients reconnect at the same moment, and 1012 means nothing to them",
            "1012 comes with a time of its own for each, and displays wait for it",
        ),
    )
    chart = Chart(came, "attempts to come back, a second", mark="bars", bound=MOST)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with rooms(stack) as [room], displays([socket(stack, variant, room)] * CLIENTS) as made:
            all_joined(made)
            yield clock_starts()
            end = time.monotonic() + PATIENCE_SECONDS
            with desk(lambda _: change(stack, variant, room), CHANGES, PER_SECOND) as done:
                stack.restart("live")
                while not (done.is_set() and all(each.seq == CHANGES for each in made)):
                    yield self.most(self.at_once(made))
                    rest(0.5)
                    if time.monotonic() > end:
                        break
            for at in (at for each in made for at in each.came[1:]):
                yield self.came(1, at=at)
            yield self.most(self.at_once(made))
            yield self.closed(sum(any(code == 1012 for _, code in each.closed) for each in made))
            yield self.states(sum(each.states - 1 for each in made))
            yield self.missed(sum(each.missed + CHANGES - each.seq for each in made))

    def at_once(self, made: list[Display]) -> int:
        """Return how many have come back within one second, the most so far."""
        came = sorted(at for each in made for at in each.came[1:])
        return max((bisect(came, at + 1) - place for place, at in enumerate(came)), default=0)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} came back in one second, {bound} are allowed"
        most = Verdict.at_most(samples.last(self.most), MOST, words)
        if not most.holds:
            return most
        samples.wait_for_end()
        words = "{measured} states read again"
        states = Verdict.at_most(samples.last(self.states), 0, words)
        words = "{measured} of {bound} closed with 1012"
        closed = Verdict.exactly(samples.last(self.closed), CLIENTS, words)
        missed = Verdict.at_most(samples.last(self.missed), 0, "{measured} changes missed")
        return (most & states).provided(closed).provided(missed)
