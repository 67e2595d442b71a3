"""Change a room between the moment when 100 displays are given its state, and the moment when they join."""

import time
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

CLIENTS = 100


class JoiningMissesNothing(Experiment):
    slug = "joining-misses-nothing"
    claim = "Of 100 displays that join while their room changes, each is told of the change."
    holds = ("boards",)
    refuted = ("loop", "channels")
    late = Series("displays that were never told of the change")
    told = Series("displays that were told of a later change")
    reports = (
        (
            "pingdotgg/t3code#4079",
            "what is published while a subscriber's snapshot loads is never delivered",
            "a listener joins first, and the state says which changes it has",
        ),
        (
            "cashubtc/cdk#1023",
            "the state is read before the subscription is registered, and events between are dropped",
            "there is no await between the last look into the ring and waiting for more",
        ),
    )
    chart = Chart(late, "displays that were not told of the change", bound=0)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with rooms(stack) as [room]:
            addresses = [socket(stack, variant, room)] * CLIENTS
            yield clock_starts()
            with held_joining(stack, CLIENTS) as settle, displays(addresses) as made:
                until(lambda: all(each.connected for each in made), PATIENCE_SECONDS)
                settle()
                change(stack, variant, room)
                pumped(stack)
                store(stack).delete("drill:joining")
                all_joined(made)
                # Whoever missed the one hears of another, and can tell.
                end = time.monotonic() + PATIENCE_SECONDS
                while (
                    told := sum(each.seq > 1 for each in made)
                ) < CLIENTS and time.monotonic() < end:
                    change(stack, variant, room)
                    rest(0.2)
                yield self.late(sum(each.missed > 0 for each in made))
                yield self.told(told)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} of 100 displays were not told of the change"
        late = Verdict.at_most(samples.last(self.late), 0, words)
        words = "{measured} of {bound} displays were told of a later one"
        return late.provided(Verdict.exactly(samples.last(self.told), CLIENTS, words))
