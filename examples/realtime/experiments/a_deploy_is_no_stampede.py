"""Restart the processes that 130 displays, 8 streams of events and a desk talk to."""

import socket as sockets
import time
from bisect import bisect
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from nexus.experiment import (
    Chart,
    Experiment,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    clock_starts,
    rest,
    until,
)

from . import (
    PATIENCE_SECONDS,
    Display,
    all_joined,
    change,
    desk,
    displays,
    rooms,
    sent,
    socket,
)

CLIENTS, STREAMS, CHANGES, PER_SECOND, MOST = 130, 8, 30, 5, 60
PROCESSES, BEGIN_SECONDS = 4, 5  # that tell, unless LIVE_CONCURRENCY says otherwise


class ADeployIsNoStampede(Experiment):
    slug = "a-deploy-is-no-stampede"
    claim = (
        "When the processes are restarted, 130 displays are closed with 1012 and come back at times of their "
        "own, at most 60 in a second; none needs the state again, and none misses a change."
    )
    holds = ("boards",)
    refuted = ("channels",)
    came = Series("attempts to come back")
    closed = Series("displays closed with 1012")
    streams = Series("streams of events told when to come back")
    states = Series("states read again for a display")
    missed = Series("changes missed")
    reports = (
        (
            "BasedHardware/omi#5520",
            "after a deployment all clients reconnect at the same moment, and 1012 means nothing to them",
            "1012 comes with a time of its own for each, and displays wait for it",
        ),
    )
    chart = Chart(came, "attempts to come back within a second", window_seconds=1, bound=MOST)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        self.wait_for_processes(stack)
        with (
            rooms(stack) as [room],
            displays([socket(stack, variant, room)] * CLIENTS) as made,
            ExitStack() as held,
        ):
            all_joined(made)
            events = Request(f"{stack.services['live']}/api/boards/rooms/{room}/events")
            streams = [held.enter_context(sent(events)) for _ in range(STREAMS)]
            for each in streams:
                each.recv(65536)  # the state, or its beginning

            def tell(_: int) -> None:
                # Asked again where `web` is being restarted.
                until(lambda: change(stack, variant, room).status == 200, PATIENCE_SECONDS)

            def all_told() -> bool:
                return done.is_set() and all(each.seq >= CHANGES for each in made)

            yield clock_starts()
            seen = [1] * CLIENTS
            with desk(tell, CHANGES, PER_SECOND) as done:
                stack.restart("live")
                yield from self.coming(made, seen, lambda: False, 1)
                stack.restart("web")
                yield from self.coming(made, seen, all_told, PATIENCE_SECONDS)
            yield self.streams(sum(b"retry: " in self.all_of(each) for each in streams))
            yield self.states(sum(each.states - 1 for each in made))
            newest = max(CHANGES, *(each.seq for each in made))
            yield self.missed(sum(each.missed + newest - each.seq for each in made))

    def wait_for_processes(self, stack: Stack) -> None:
        """Give all that tell a while to begin: whoever comes earlier waits for the turns of one."""
        seen = set[bytes]()

        def all_have_answered() -> bool:
            answer = ask(f"{stack.services['live']}/healthz")
            seen.update([answer.body] if answer.status == 200 else [])
            return len(seen) >= PROCESSES

        until(all_have_answered, BEGIN_SECONDS, 0.01)

    def coming(
        self, made: list[Display], seen: list[int], over: Callable[[], bool], seconds: float
    ) -> Iterator[Sample]:
        """Yield attempts until it is over, or so long; `seen` is how many of each display are known."""
        end, going_on = time.monotonic() + seconds, True
        while going_on:
            going_on = not over() and time.monotonic() < end
            for place, each in enumerate(made):
                came = each.came[seen[place] :]
                seen[place] += len(came)
                for at in came:
                    yield self.came(1, at=at)
            yield self.closed(sum(any(code == 1012 for _, code in each.closed) for each in made))
            rest(0.2)

    def all_of(self, stream: sockets.socket) -> bytes:
        """Read what the process has said until its end."""
        with stream.makefile("rb") as lines:
            return lines.read()

    def judge(self, samples: Samples, params: Params) -> Verdict:
        came = sorted(each.seconds for each in samples.of(self.came))
        at_once = max((bisect(came, at + 1) - place for place, at in enumerate(came)), default=0)
        words = "{measured} came back in one second, {bound} are allowed"
        most = Verdict.at_most(at_once, MOST, words)
        if not most.holds:
            return most
        samples.wait_for_end()
        words = "{measured} states read again"
        states = Verdict.at_most(samples.last(self.states), 0, words)
        words = "{measured} of {bound} closed with 1012"
        closed = Verdict.exactly(samples.last(self.closed), CLIENTS, words)
        words = "{measured} of {bound} streams told when to come back"
        streams = Verdict.exactly(samples.last(self.streams), STREAMS, words)
        missed = Verdict.at_most(samples.last(self.missed), 0, "{measured} changes missed")
        return (most & states).provided(closed).provided(streams).provided(missed)
