"""Open 500 streams of events, and ask for other pages meanwhile."""

import selectors
import socket as sockets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import UUID

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
    clock_starts,
    volley,
)

from . import PATIENCE_SECONDS, change, rooms, stream_of

STREAMS, OTHERS = 500, 40
HUNG_SECONDS = 3  # without threads no answer comes, however long one waits


class ListenersTakeNoThreads(Experiment):
    slug = "listeners-take-no-threads"
    claim = (
        "While 500 streams of events are open, 40 of 40 other requests are answered as they should be, "
        "those that are refused among them."
    )
    holds = ("boards",)
    refuted = ("wsgi_stream",)
    answered = Series("other requests answered")
    told = Series("streams that were told of a change")
    reports = (
        (
            "microsoft/amplifier#238",
            "each stream of events keeps one of waitress' 8 threads, and then the server hangs",
            "streams are served by a process with an event loop",
        ),
    )
    chart = Chart(answered, "other requests answered", bound=OTHERS)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        try:
            with rooms(stack) as [room], ExitStack() as held:
                yield from self.drive(stack, variant, room, held)
        finally:
            if variant in self.refuted:
                # A thread finds out only when it writes the next time that nobody listens.
                stack.kill("web")
                stack.start("web")
                stack.wait_ready()

    def drive(self, stack: Stack, variant: str, room: str, held: ExitStack) -> Iterator[Sample]:
        served = stack.url if variant in self.refuted else stack.services["live"]
        path = f"/api/{variant}/rooms/{room}/events"
        streams = [held.enter_context(stream_of(served, path)) for _ in range(STREAMS)]
        # Of a server without threads left, most are never answered.
        is_hung = variant in self.refuted
        self.said(streams, b'"state"', 1 if is_hung else PATIENCE_SECONDS)
        yield clock_starts()
        others = [*self.others(stack.url, room, stack.staff_token)]
        if served != stack.url:
            others += self.others_of_live(served, room)
        asked = [others[place % len(others)] for place in range(OTHERS)]
        answered = 0
        for answer in volley(
            [request for request, _ in asked],
            processes=1,
            connections=OTHERS,
            timeout_seconds=HUNG_SECONDS if is_hung else PATIENCE_SECONDS,
        ):
            answered += answer.status == asked[answer.request][1]
            yield self.answered(answered)
        if answered == OTHERS:
            change(stack, variant, room)
            yield self.told(self.said(streams, b'"event"', PATIENCE_SECONDS))

    def others(self, web: str, room: str, desk: str) -> Iterator[tuple[Request, int]]:
        """Yield requests to the process `web`, with the status of the answer that each should get."""
        board, staff = f"{web}/api/boards/rooms", {"Authorization": f"Bearer {desk}"}
        for path, status in (("healthz", 200), ("api/", 200), ("api/nothing/", 404)):
            yield Request(f"{web}/{path}"), status
        yield Request(f"{board}/{room}/"), 200
        yield Request(f"{board}/ZZZZZZ/"), 404
        yield Request(f"{board}/{room}/", staff, "POST", b'{"flight": "ZZ1", "gate": ""}'), 404
        yield Request(f"{web}/api/sessions/", staff, "POST", b'{"room": "ZZZZZZ"}'), 404
        for url in (f"{board}/{room}/", f"{web}/api/sessions/"):
            yield Request(url, {}, "POST", b"{}"), 401
            yield Request(url, staff, "POST", b"{"), 400
        yield Request(f"{web}/api/sessions/{UUID(int=0)}/", {}, "DELETE"), 401
        yield Request(f"{web}/api/tickets/", {"Authorization": "Bearer x"}, "POST"), 401

    def others_of_live(self, live: str, room: str) -> Iterator[tuple[Request, int]]:
        """Yield requests to the process `live`, likewise."""
        yield Request(f"{live}/healthz"), 200
        yield Request(f"{live}/board"), 200
        yield Request(f"{live}/api/nothing"), 404
        yield Request(f"{live}/api/boards/rooms/000/events"), 404
        yield Request(f"{live}/api/boards/rooms/ZZZZZZ/events"), 401
        yield Request(f"{live}/api/boards/rooms/{room}/events?since=x"), 400
        yield Request(f"{live}/api/boards/rooms/{room}/events", {}, "POST"), 405

    def said(self, streams: list[sockets.socket], word: bytes, seconds: float) -> int:
        """Return how many streams have said `word`, once all have or the time is over."""
        end, heard = time.monotonic() + seconds, set()
        with selectors.DefaultSelector() as selector:
            for stream in streams:
                selector.register(stream, selectors.EVENT_READ)
            while len(heard) < len(streams) and (left := end - time.monotonic()) > 0:
                for key, _ in selector.select(min(left, 0.5)):
                    said = key.fileobj.recv(65536)
                    if word in said or not said:
                        selector.unregister(key.fileobj)
                    if word in said:
                        heard.add(key.fileobj)
        return len(heard)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} of {bound} other requests answered while 500 streams are open"
        answered = Verdict.at_least(samples.last(self.answered), OTHERS, words)
        if not answered.holds:
            return answered
        words = "{measured} of {bound} streams told of a change"
        return answered & Verdict.at_least(samples.last(self.told), STREAMS, words)
