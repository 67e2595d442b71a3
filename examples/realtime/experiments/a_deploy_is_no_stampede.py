"""Restart the processes that 300 displays listen to, while their room changes."""

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
    until,
)

from . import PATIENCE_SECONDS, Display, all_joined, change, desk, displays, rooms, socket

CLIENTS, CHANGES, PER_SECOND, MOST = 300, 40, 4, 100


class ADeployIsNoStampede(Experiment):
    slug = "a-deploy-is-no-stampede"
    claim = (
        "When the processes are restarted, 300 displays are closed with 1012 and come back at times of their "
        "own, at most 100 in a second; none needs the state again, and none misses a change."
    )
    holds = ("boards",)
    refuted = ("channels",)
    came = Series("attempts to come back")
    most = Series("attempts in one second, the most so far")
    closed = Series("displays closed with 1012")
    states = Series("states read again for a display")
    missed = Series("changes missed")
    chart = Chart(came, "attempts to come back, a second", mark="bars", bound=MOST)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with rooms(stack) as [room], displays([socket(stack, variant, room)] * CLIENTS) as made:
            all_joined(made)
            yield clock_starts()
            with desk(lambda _: change(stack, variant, room), CHANGES, PER_SECOND) as done:
                stack.restart("live")
                until(done.is_set, PATIENCE_SECONDS, 0.2)
            change(stack, variant, room)
            until(lambda: all(each.seq == CHANGES + 1 for each in made), PATIENCE_SECONDS)
            came = sorted(at for each in made for at in each.came[1:])
            for at in came:
                yield self.came(1, at=at)
            yield from self.counted(made, came)

    def counted(self, made: list[Display], came: list[float]) -> Iterator[Sample]:
        yield self.most(max(sum(at <= other < at + 1 for other in came) for at in came))
        yield self.closed(sum(any(code == 1012 for _, code in each.closed) for each in made))
        yield self.states(sum(each.states - 1 for each in made))
        yield self.missed(sum(each.missed + CHANGES + 1 - each.seq for each in made))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} came back in one second, {bound} are allowed"
        most = Verdict.at_most(samples.last(self.most), MOST, words)
        words = "{measured} states read again"
        states = Verdict.at_most(samples.last(self.states), 0, words)
        words = "{measured} of {bound} closed with 1012"
        closed = Verdict.exactly(samples.last(self.closed), CLIENTS, words)
        missed = Verdict.at_most(samples.last(self.missed), 0, "{measured} changes missed")
        return (most & states).provided(closed).provided(missed)
