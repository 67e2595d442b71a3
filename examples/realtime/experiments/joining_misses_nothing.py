"""Change a room between the moment when 200 displays are given its state, and the moment when they join."""

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
    until,
)

from . import (
    PATIENCE_SECONDS,
    all_joined,
    change,
    displays,
    held_joining,
    pumped,
    rooms,
    socket,
    store,
)

CLIENTS = 200


class JoiningMissesNothing(Experiment):
    slug = "joining-misses-nothing"
    claim = "Of 200 displays that join while their room changes, each is told of the change."
    holds = ("boards",)
    refuted = ("loop", "channels")
    late = Series("displays that were never told of the change")
    told = Series("displays that know the room's last change")
    chart = Chart(late, "displays that were not told of the change", bound=0)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with rooms(stack) as [room]:
            addresses = [socket(stack, variant, room)] * CLIENTS
            yield clock_starts()
            with held_joining(stack) as settle, displays(addresses) as made:
                until(lambda: all(each.connected for each in made), PATIENCE_SECONDS)
                settle()
                change(stack, variant, room)
                pumped(stack)
                store(stack).delete("drill:joining")
                all_joined(made)
                # Whoever misses the one hears of the next, and can tell.
                change(stack, variant, room)
                for _ in range(PATIENCE_SECONDS * 5):
                    told = sum(each.seq == 2 for each in made)
                    yield self.late(sum(each.missed > 0 for each in made))
                    yield self.told(told)
                    if told == CLIENTS:
                        return
                    rest(0.2)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} of 200 displays were not told of the change"
        late = Verdict.at_most(samples.last(self.late), 0, words)
        if not late.holds:
            return late
        samples.wait_for_end()
        words = "{measured} of {bound} displays know the last change"
        return late.provided(Verdict.exactly(samples.last(self.told), CLIENTS, words))
