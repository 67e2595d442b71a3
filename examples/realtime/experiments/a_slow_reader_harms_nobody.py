"""Tell a room 10 MB while one of its displays reads nothing; then let that one read on."""

import socket as sockets
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

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

from . import Display, all_joined, change, desk, displays, rooms, socket

OTHERS, CHANGES, PER_SECOND = 16, 600, 150
REMARK = "x" * 16_000  # the kernel keeps 4 MB and more for a client: what it hides is no test
QUIET_SECONDS = 8  # nothing came to anybody for so long: nothing will


class Slow:
    """A display with a small window, that reads when it is asked to."""

    def __init__(self, address: str) -> None:
        self.display = Display(address)
        parts = urlsplit(address)
        self.socket = sockets.socket()
        self.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        self.socket.connect((parts.hostname, parts.port))
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{upgrade}{key}\r\n"
        self.socket.sendall(head.encode())
        self.stream = self.socket.makefile("rb")
        while self.stream.readline().strip():
            pass
        self.frame()  # the state

    def frame(self) -> bool:
        """Hear the next message; False if the connection was closed."""
        head = self.stream.read(2)
        if len(head) < 2 or head[0] & 15 == 8:
            return False
        length = head[1]
        if length > 125:
            length = int.from_bytes(self.stream.read(2 if length == 126 else 8))
        body = self.stream.read(length)
        if head[0] & 15 == 1:
            self.display.hear(body.decode())
        return True

    def read_on(self) -> None:
        """Read all that was sent, up to the last change or the end."""
        self.socket.settimeout(QUIET_SECONDS)
        while self.display.seq < CHANGES + 1 and self.frame():
            pass


class ASlowReaderHarmsNobody(Experiment):
    slug = "a-slow-reader-harms-nobody"
    claim = (
        "While one of 17 displays reads nothing of 10 MB, the others hear all of it; once it reads again, it "
        "hears all, too."
    )
    holds = ("boards",)
    refuted = ("loop", "channels")
    least = Series("changes that the other displays heard, the least of them")
    missed = Series("changes that the slow display was never told of")
    chart = Chart(least, "changes heard, the least of the other displays", bound=CHANGES + 1)
    live = (least,)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with rooms(stack) as [room]:
            address = socket(stack, variant, room)
            with displays([address] * OTHERS) as made:
                all_joined(made)
                slow = Slow(address)
                rest(0.5)
                yield clock_starts()
                yield from self.drive(stack, variant, room, made, slow)
                slow.socket.close()

    def drive(
        self, stack: Stack, variant: str, room: str, made: list[Display], slow: Slow
    ) -> Iterator[Sample]:
        def tell(_: int) -> None:
            change(stack, variant, room, "A1", REMARK)

        with desk(tell, CHANGES, PER_SECOND) as done:
            while not until(done.is_set, 0.5):
                yield self.least(min(each.heard for each in made))
        # Whoever has lost the end hears of one more change, and can tell.
        change(stack, variant, room)
        yield from self.settled(made)
        try:
            slow.read_on()
        except TimeoutError:
            yield self.missed(CHANGES + 1 - slow.display.seq + slow.display.missed)
        yield self.missed(slow.display.missed + CHANGES + 1 - slow.display.seq)

    def settled(self, made: list[Display]) -> Iterator[Sample]:
        """Yield what the others have heard, until it is all or nothing more comes."""
        heard, since = -1, time.monotonic()
        while heard < OTHERS * (CHANGES + 1) and time.monotonic() < since + QUIET_SECONDS:
            if (now := sum(each.heard for each in made)) != heard:
                heard, since = now, time.monotonic()
            yield self.least(min(each.heard for each in made))
            rest(0.2)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "the least of 16 others heard {measured} of {bound} changes"
        least = Verdict.at_least(samples.last(self.least), CHANGES + 1, words)
        words = "the slow one was never told of {measured}"
        return least & Verdict.at_most(samples.last(self.missed), 0, words)
