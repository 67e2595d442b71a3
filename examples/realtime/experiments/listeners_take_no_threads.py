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
)

from . import PATIENCE_SECONDS, change, rooms, sent, store

STREAMS, OTHERS = 500, 40
# Changes that the streams hear one after the other: who has no answer by then gets none.
ROUNDS = 50


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
        in_web = variant in self.refuted
        served = stack.url if in_web else stack.services["live"]
        events = Request(f"{served}/api/{variant}/rooms/{room}/events")
        streams = [held.enter_context(sent(events)) for _ in range(STREAMS)]
        # Of a server without threads left, most never begin.
        quiet_seconds = 1 if in_web else PATIENCE_SECONDS
        begun = self.said(dict.fromkeys(streams, b'"state"'), quiet_seconds=quiet_seconds)
        yield clock_starts()
        others = [*self.others(stack.url, room, stack.staff_token)]
        if not in_web:
            others += self.others_of_live(served, room)
        asked = {}
        for place in range(OTHERS):
            request, status = others[place % len(others)]
            asked[held.enter_context(sent(request))] = f"HTTP/1.1 {status} ".encode()
        answered, told = 0, STREAMS
        for number in range(ROUNDS):
            if in_web:  # which would not answer the desk
                store(stack).publish(f"loop:{room}", f'{{"gate": "{number}"}}')
            else:
                change(stack, variant, room, f"{number}")
            gate = f'"{number}"'.encode()
            told = min(told, len(self.said(dict.fromkeys(begun, gate))))
            answered += len(self.said(asked, 0, 0))
            yield self.answered(answered)
            if answered == OTHERS:
                break
        yield self.told(told)

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

    def said(
        self,
        words: dict[sockets.socket, bytes],
        seconds: float = PATIENCE_SECONDS,
        quiet_seconds: float = PATIENCE_SECONDS,
    ) -> list[sockets.socket]:
        """Return who has said its word, once all have, or nobody has for a while; `words` keeps the rest."""
        end, heard = time.monotonic() + seconds, list[sockets.socket]()
        with selectors.DefaultSelector() as selector:
            for each in words:
                selector.register(each, selectors.EVENT_READ)
            while words and (ready := selector.select(max(0, end - time.monotonic()))):
                for key, _ in ready:
                    said = key.fileobj.recv(65536)
                    if words[key.fileobj] in said:
                        heard.append(key.fileobj)
                        end = time.monotonic() + quiet_seconds
                    elif said:
                        continue
                    selector.unregister(key.fileobj)
                    del words[key.fileobj]
        return heard

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} of {bound} other requests answered while 500 streams are open"
        answered = Verdict.at_least(samples.last(self.answered), OTHERS, words)
        if not answered.holds:
            return answered
        words = "{measured} of {bound} streams told of a change"
        return answered & Verdict.at_least(samples.last(self.told), STREAMS, words)
