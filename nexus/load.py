"""Real client load: several processes, hundreds of connections, one barrier before the first byte."""

import asyncio
import http.client
import multiprocessing
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import aiohttp

BATCH = 25  # answers sent from a client process to the parent at a time
START_DEADLINE_SECONDS = 60
REST_SECONDS = 0.1


class LoadError(RuntimeError):
    """The clients could not do their work; says nothing about the example."""


@dataclass(frozen=True, slots=True)
class Request:
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request got.

    Attributes:
        request: index of the request in the sequence given to `volley`.
        sent, received: `time.monotonic()` seconds, comparable across processes.
        status: HTTP status; 0 when no answer came, then `error` says why.
        headers: names in lower case.
    """

    request: int
    sent: float
    received: float
    status: int
    headers: Mapping[str, str]
    body: bytes
    error: str = ""

    @property
    def seconds(self) -> float:
        return self.received - self.sent


type Observer = Callable[[Request, Answer], None]
_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)
_checkpoint: ContextVar[Callable[[], None] | None] = ContextVar("checkpoint", default=None)


@contextmanager
def watching(observer: Observer, checkpoint: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Show every answer that `ask` and `volley` get in this block to `observer`.

    Blocks nest: the observer and the checkpoint of one around this are called first.

    Args:
        checkpoint: called at least every second by `volley` and `rest`, and before each `ask`; what it
            or the observer raises ends the experiment.
    """
    outer, outer_checkpoint = _observer.get(), _checkpoint.get()

    def observe(request: Request, answer: Answer) -> None:
        if outer:
            outer(request, answer)
        observer(request, answer)

    def check() -> None:
        if outer_checkpoint:
            outer_checkpoint()
        checkpoint()

    tokens = _observer.set(observe), _checkpoint.set(check)
    try:
        yield
    finally:
        _observer.reset(tokens[0])
        _checkpoint.reset(tokens[1])


def rest(seconds: float) -> None:
    """Sleep, but let whoever watches end the experiment meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        _check()
        time.sleep(min(left, REST_SECONDS))


def _check() -> None:
    if checkpoint := _checkpoint.get():
        checkpoint()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as a person reads them."""

    method: str
    path: str
    request_headers: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    body: str
    seconds: float


@dataclass
class Exchanges:
    """An observer that keeps the first exchange of each status, at most three of them."""

    found: dict[int, Exchange] = field(default_factory=dict)

    MOST = 3

    def __call__(self, request: Request, answer: Answer) -> None:
        if answer.status in self.found or len(self.found) >= self.MOST:
            return
        parts = urlsplit(request.url)
        self.found[answer.status] = Exchange(
            method=request.method,
            path=parts.path + (f"?{parts.query}" if parts.query else ""),
            request_headers=dict(request.headers),
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.error or answer.body.decode(errors="replace"),
            seconds=answer.seconds,
        )


def ask(
    url: str | Request, headers: Mapping[str, str] | None = None, timeout_seconds: float = 10
) -> Answer:
    """Send one request on a connection of its own; of an address alone, with GET."""
    _check()
    request = url if isinstance(url, Request) else Request(url, dict(headers or {}))
    answer = _ask(request, timeout_seconds)
    if observer := _observer.get():
        observer(request, answer)
    return answer


def _ask(request: Request, timeout_seconds: float) -> Answer:
    parts = urlsplit(request.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_seconds)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    sent = time.monotonic()
    try:
        connection.request(request.method, path, request.body or None, dict(request.headers))
        response = connection.getresponse()
        body = response.read()
    # A server that is killed may have sent half an answer.
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, sent, time.monotonic(), 0, {}, b"", f"{type(error).__name__}: {error}")
    finally:
        connection.close()
    names = {name.lower(): value for name, value in response.getheaders()}
    return Answer(0, sent, time.monotonic(), response.status, names, body)


def volley(
    requests: Sequence[Request],
    *,
    processes: int = 8,
    connections: int = 25,
    timeout_seconds: float = 10,
    rate: float | None = None,
) -> Iterator[Answer]:
    """Send all requests from several client processes and yield the answers as they come.

    All client processes wait at a barrier, so that the first requests leave together.

    Args:
        requests: sent once each, dealt to the processes in turn.
        connections: kept-alive connections per process.
        timeout_seconds: per request; a request that got no answer by then has status 0.
        rate: requests per second over all, sent on schedule whatever the answers do;
            None sends as fast as the connections allow.

    Raises:
        LoadError: a client process ended early or never started.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nexus.load", "aiohttp"])
    answers: multiprocessing.Queue[list[Answer] | None] = context.Queue()
    processes = min(processes, len(requests))
    barrier = context.Barrier(processes)
    shares = [list(enumerate(requests))[offset::processes] for offset in range(processes)]
    pace = rate and rate / processes
    clients = [
        context.Process(
            target=_Client(share, connections, timeout_seconds, pace, barrier, answers), daemon=True
        )
        for share in shares
    ]
    with _nothing_of_this_program():
        for client in clients:
            client.start()
    try:
        observer = _observer.get()
        for answer in _collect(clients, answers, len(requests)):
            if observer:
                observer(requests[answer.request], answer)
            yield answer
    finally:
        for client in clients:
            client.kill()
            client.join()
        answers.close()


@contextmanager
def _nothing_of_this_program() -> Iterator[None]:
    """Let a client import what it runs, and not the program that starts it, as multiprocessing would.

    pytest or the commands would be imported by each of eight clients: seconds, before the first request.
    """
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def _collect(
    clients: Sequence[BaseProcess],
    answers: "multiprocessing.Queue[list[Answer] | None]",
    expected: int,
) -> Iterator[Answer]:
    received = 0
    while received < expected:
        try:
            batch = answers.get(timeout=REST_SECONDS)
        except queue.Empty:
            _check()
            if all(not client.is_alive() for client in clients) and answers.empty():
                raise LoadError(
                    f"the clients ended after {received} of {expected} answers"
                ) from None
            continue
        if batch is None:
            raise LoadError("the clients did not start together within the deadline")
        received += len(batch)
        yield from batch


@dataclass(frozen=True)
class _Client:
    """One client process: sends its share of the requests, `rate` of them a second."""

    share: Sequence[tuple[int, Request]]
    connections: int
    timeout_seconds: float
    rate: float | None
    barrier: "multiprocessing.synchronize.Barrier"
    answers: "multiprocessing.Queue[list[Answer] | None]"

    def __call__(self) -> None:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        asyncio.run(self._drive())
        self.answers.close()
        self.answers.join_thread()

    async def _drive(self) -> None:
        import aiohttp

        waiting = asyncio.Queue[tuple[int, Request]]()
        for item in self.share:
            waiting.put_nowait(item)
        timeout = aiohttp.ClientTimeout(total=self.timeout_seconds)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(
            timeout=timeout, connector=connector, cookie_jar=jar
        ) as session:
            # Else a request whose connection was closed is sent once more, and counts as one. There is no
            # public switch; aiohttp's own test client does the same.
            session._retry_connection = False
            try:
                self.barrier.wait(START_DEADLINE_SECONDS)
            except Exception:
                self.answers.put(None)
                raise
            await self._send(session, waiting)

    async def _send(
        self, session: "aiohttp.ClientSession", waiting: asyncio.Queue[tuple[int, Request]]
    ) -> None:
        start = time.monotonic()
        batch: list[Answer] = []

        async def work() -> None:
            while not waiting.empty():
                index, request = waiting.get_nowait()
                if self.rate:
                    due = start + (len(self.share) - waiting.qsize() - 1) / self.rate
                    await asyncio.sleep(max(0, due - time.monotonic()))
                batch.append(await _exchange(session, index, request))
                if len(batch) >= BATCH or self.rate:
                    self.answers.put(batch.copy())
                    batch.clear()

        # On schedule, each due request needs a free connection, however slow the others are.
        await asyncio.gather(*(work() for _ in range(min(len(self.share), self.connections))))
        if batch:
            self.answers.put(batch)


def _end_with_parent() -> None:
    # Killed at once, the harness can end nobody, and its clients would wait for one another forever.
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


async def _exchange(session: "aiohttp.ClientSession", index: int, request: Request) -> Answer:
    import aiohttp

    sent = time.monotonic()
    try:
        async with session.request(
            request.method,
            request.url,
            headers=dict(request.headers),
            data=request.body or None,
            allow_redirects=False,
        ) as response:
            body = await response.read()
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(index, sent, time.monotonic(), response.status, names, body)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Answer(index, sent, time.monotonic(), 0, {}, b"", f"{type(error).__name__}: {error}")
