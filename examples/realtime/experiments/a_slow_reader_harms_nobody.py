"""Tell a room 12 MB while four of its displays read nothing; then let those read on."""

import socket as sockets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
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

from . import (
    PATIENCE_SECONDS,
    Display,
    all_joined,
    change,
    desk,
    displays,
    patience,
    rooms,
    settled,
    socket,
)

SLOW, OTHERS, CHANGES, PER_SECOND = 4, 12, 400, 200
REMARK = "é" * 16_000  # 32 kB: kernels, a layer and Docker's proxy keep up to 5 MB for a client
SEGMENT = 1_400  # bytes, as between machines; for segments as on one machine a kernel keeps some MB


class Slow:
    """A display with a small window, that reads when it is asked to."""

    def __init__(self, address: str) -> None:
        self.display = Display(address)
        self.connect()
        self.frame()  # the state

    def connect(self) -> None:
        parts = urlsplit(self.display.asked())
        self.socket = sockets.socket()
        self.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        self.socket.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_MAXSEG, SEGMENT)
        self.socket.connect((parts.hostname, parts.port))
        self.socket.settimeout(PATIENCE_SECONDS)
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        path = f"{parts.path}?{parts.query}"
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{upgrade}{key}\r\n".encode()
        )
        self.stream = self.socket.makefile("rb")
        while self.stream.readline().strip():
            pass

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
        """Read until it hears of a change that came after those that it did not read.

        One that answers no ping for 40 s is closed, and comes back.
        """
        self.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 1024 * 1024)
        while self.display.seq <= CHANGES:
            if not self.frame():
                self.close()
                self.connect()

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


class ASlowReaderHarmsNobody(Experiment):
    slug = "a-slow-reader-harms-nobody"
    claim = (
        "While 4 of 16 displays read nothing of 12 MB, the others hear all of it; once those read again, "
        "they hear all, too."
    )
    holds = ("boards",)
    refuted = ("loop", "channels")
    untold = Series("changes that displays have not heard, all together")
    reports = (
        (
            "micronaut-projects/micronaut-core#8984",
            "what a slow subscriber does not read is kept for it until the memory is used up",
            "a listener is a position in a ring, and no queue",
        ),
    )
    chart = Chart(untold, "changes not heard, 16 displays together", bound=0)
    live = (untold,)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with rooms(stack) as [room]:
            address = socket(stack, variant, room)
            # One by one, so that each process has some of them.
            with displays([address] * OTHERS, apart_seconds=0.05) as made, ExitStack() as ends:
                slow = [ends.enter_context(closing(Slow(address))) for _ in range(SLOW)]
                all_joined(made)
                rest(0.5)
                yield clock_starts()
                tell = partial(change, stack, variant, room, remark=REMARK)
                with desk(lambda _: tell(), CHANGES, PER_SECOND) as done:
                    while not until(done.is_set, 0.3):
                        yield self.left(made)
                for _ in settled(made, CHANGES, patience(self, variant)):
                    yield self.left(made)
                yield (left := self.left(made))
                if left.value:
                    return
                with ThreadPoolExecutor(SLOW) as pool:
                    reading = [pool.submit(each.read_on) for each in slow]
                    # Whoever has lost the end hears of one more change, and can tell.
                    while not all(each.done() for each in reading):
                        tell(remark="")
                        rest(0.2)
                yield self.untold(sum(each.display.missed for each in slow))

    def left(self, made: list[Display]) -> Sample:
        return self.untold(sum(CHANGES - each.heard for each in made))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} of 6,400 changes not heard"
        return Verdict.at_most(samples.last(self.untold), 0, words)
