"""Open 500 streams of events, and ask for other pages meanwhile."""

import selectors
import socket as sockets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

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

from . import PATIENCE_SECONDS, change, rooms

STREAMS, PAGES, ANSWER_SECONDS = 500, 40, 4


class ListenersTakeNoThreads(Experiment):
    slug = "listeners-take-no-threads"
    claim = "While 500 streams of events are open, 40 of 40 other requests are answered within 4 s."
    holds = ("boards",)
    refuted = ("wsgi_stream",)
    answered = Series("other requests answered within 4 s")
    told = Series("streams that were told of a change")
    reports = (
        (
            "microsoft/amplifier#238",
            "each stream of events keeps one of waitress' 8 threads, and then the server hangs",
            "streams are served by a process with an event loop",
        ),
    )
    chart = Chart(answered, "other requests answered within 4 s", bound=PAGES)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        try:
            with rooms(stack) as [room], ExitStack() as held:
                yield from self.drive(stack, variant, room, held)
        finally:
            if variant in self.refuted:
                # A thread finds out only when it writes the next time that nobody listens.
                with stack.killed("web"):
                    pass

    def drive(self, stack: Stack, variant: str, room: str, held: ExitStack) -> Iterator[Sample]:
        served = stack.url if variant in self.refuted else stack.services["live"]
        path = f"/api/{variant}/rooms/{room}/events"
        streams = [held.enter_context(self.stream(served, path)) for _ in range(STREAMS)]
        # Of a server without threads left, most are never answered.
        patience = 1 if variant in self.refuted else PATIENCE_SECONDS
        self.said(streams, b'"state"', patience)
        yield clock_starts()
        room_page = f"{stack.url}/api/boards/rooms/{room}/"
        pages = [f"{stack.url}/healthz", room_page, f"{served}/healthz"]
        requests = [Request(pages[place % 3]) for place in range(PAGES)]
        answered = 0
        for answer in volley(
            requests, processes=1, connections=PAGES, timeout_seconds=ANSWER_SECONDS
        ):
            answered += answer.status == 200
            yield self.answered(answered)
        if answered == PAGES:
            change(stack, variant, room)
            yield self.told(self.said(streams, b'"event"', PATIENCE_SECONDS))

    def stream(self, served: str, path: str) -> sockets.socket:
        parts = urlsplit(served)
        stream = sockets.create_connection((parts.hostname, parts.port), PATIENCE_SECONDS)
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        return stream

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
        answered = Verdict.at_least(samples.last(self.answered), PAGES, words)
        if not answered.holds:
            return answered
        words = "{measured} of {bound} streams told of a change"
        return answered & Verdict.at_least(samples.last(self.told), STREAMS, words)
