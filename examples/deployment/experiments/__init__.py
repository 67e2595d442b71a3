"""The claims of this example, and what they share: clients that go on asking, and orders to a supervisor.

Clients of the usual libraries ask again by themselves when a kept connection was closed; these do not, for
they are Python's http.client, which asks once. Whatever they get is counted by the release that it names.
"""

import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from nexus.experiment import ExperimentError, Stack, Undecided, Verdict, rest

CLAIMS = (
    "no-request-is-lost",
    "kept-connections-are-not-cut",
    "long-requests-finish",
    "a-bad-release-is-refused",
    "a-missing-setting-stops-the-start",
    "health-is-not-the-database",
    "no-secret-in-sight",
    "killed-in-mid-switch",
)
BEGINS_AS = "start_then_stop"  # exercises/mine.py, where a reader begins

# A run that is refuted ends then, and not at the first failure: a thick refutation is many of them.
ENOUGH = 15
AT_THE_SUPERVISOR = "at_the_supervisor.py"
AIRPORTS = ("JFK", "EWR", "LGA")
# Every tenth request is one of these, as a public address gets them: well answered with that status.
STRANGE = (
    ("GET", "/wp-login.php", 404),
    ("GET", "/api/airports/XXX/", 404),
    ("HEAD", "/api/airports/JFK/", 200),
    ("GET", "/api/airports/JFK/export/?seconds=-1", 400),
    ("POST", "/api/bookings/", 400),
)
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Got:
    """What one request got: `status` 0 if nothing, `release` as the answer names it."""

    method: str
    kept: bool
    due: float
    received: float
    status: int
    release: str
    error: str
    key: str = ""
    well: Sequence[int] = (200, 201)

    @property
    def failed(self) -> bool:
        return self.status not in self.well


@dataclass
class Load:
    """Clients that ask on schedule, some on connections that they keep; every second request is a POST.

    Whose booking failed asks for it again, with the same key, once somebody answers.

    Args:
        rate: requests a second over all.
        clients: so many threads; each has a connection or none.
        method: of all requests, if they are to have but one.
        kept: share of the clients that keep their connection.
        path: of all requests, if it is to be another one.

    Attributes:
        got: what each request on schedule got.
        again: what those got that asked again; the status is 200 if the booking had been made after all.
    """

    stack: Stack
    rate: float = 300
    clients: int = 90  # so many that those who wait for a lost answer leave others to ask
    method: str = ""
    kept: float = 0.5
    path: str = ""
    got: list[Got] = field(default_factory=list)
    again: list[Got] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._start = time.monotonic() + 0.1
        self._under_way: dict[int, int] = {}  # client -> turn
        self._threads = [
            threading.Thread(target=self._client, args=(place,), daemon=True)
            for place in range(self.clients)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Who leaves before the end has seen enough.
        self.stop(wait=False)

    def during(self, work: "Work[Any]", *, wait: bool = True) -> Iterator[list[Got]]:
        """Yield what the clients have got, many times a second, until the work is done.

        Args:
            wait: for what is under way then.
        """
        seen = 0
        while True:
            over = work.done
            if over:
                self.stop(wait=False)
                # One by one, for what comes last may refute the claim, and end the run.
                over = not wait or not any(thread.is_alive() for thread in self._threads)
            batch = self.got[seen:]
            seen += len(batch)
            yield batch
            if over:
                return
            rest(0.05)

    def await_answers(self, more: int, over: threading.Event) -> None:
        """Wait until so many more requests have got something, or it is over."""
        enough = len(self.got) + more
        while len(self.got) < enough and not over.is_set():
            rest(0.05)

    def await_under_way(self, number: int, over: threading.Event) -> None:
        """Wait until so many requests are under way at once, or it is over."""
        while len(self._under_way) < number and not over.is_set():
            rest(0.05)

    def await_those_under_way(self, over: threading.Event) -> None:
        """Wait until each request that is under way now has got something, or it is over."""
        asked = dict(self._under_way)
        while not over.is_set() and any(
            self._under_way.get(client) == turn for client, turn in asked.items()
        ):
            rest(0.05)

    def stop(self, *, wait: bool = True) -> None:
        """Send no more, and wait for what is under way."""
        self._over.set()
        for thread in self._threads if wait else ():
            thread.join()

    def _client(self, place: int) -> None:
        kept = place < self.kept * self.clients
        address = urlsplit(self.stack.url).netloc
        line: http.client.HTTPConnection | None = None
        turn, owed = 0, list[str]()
        while True:
            due = self._start + (turn * self.clients + place) / self.rate
            if self._over.wait(max(0.0, due - time.monotonic())):
                break
            line = line or http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)
            self._under_way[place] = turn
            got = self._ask(line, turn + place, kept, due)
            del self._under_way[place]
            self.got.append(got)
            if got.failed and got.key:
                owed.append(got.key)
            elif owed and not self._over.is_set():
                got = self._ask(line, turn + place, kept, due, owed.pop())
                self.again.append(got)
            if not kept or got.status == 0:
                line.close()
                line = None
            turn += 1
        if line:
            line.close()

    def _ask(
        self, line: http.client.HTTPConnection, turn: int, kept: bool, due: float, key: str = ""
    ) -> Got:
        method = "POST" if key else self.method or ("GET" if self.path or turn % 2 else "POST")
        path = self.path or f"/api/airports/{AIRPORTS[turn // 2 % 3]}/"
        body, headers = None, {}
        well: Sequence[int] = (200, 201)
        if turn % 10 == 9 and not (key or self.path):
            method, path, *well = STRANGE[turn // 10 % len(STRANGE)]
            headers = {"Idempotency-Key": "stranger"} if turn % 20 == 9 else {}
        elif method == "POST":
            path = "/api/bookings/"
            body = '{"flight": "B6725", "passenger": "Ada"}'
            key = key or uuid.uuid4().hex
            headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        status, release, error = 0, "", ""
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            answer.read()
            status, release = answer.status, answer.getheader("X-Release", "")
        except (OSError, http.client.HTTPException) as fault:
            error = f"{type(fault).__name__}: {fault}"
        return Got(method, kept, due, time.monotonic(), status, release, error, key, well)


class Work[T]:
    """Orders that are given beside the load, until all are or the block is left; then their event is set.

    Attributes:
        outcomes: of those that were given.
    """

    def __init__(self, *orders: Callable[[threading.Event], T]) -> None:
        self.outcomes: list[T] = []
        self._orders = orders
        self._over = threading.Event()
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def done(self) -> bool:
        """Whether all was done.

        Raises:
            Exception: what an order has failed with; a refusal is none.
        """
        if self._fault:
            raise self._fault
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            for order in self._orders:
                if self._over.is_set():
                    return
                self.outcomes.append(order(self._over))
        except Exception as error:
            self._fault = error


def none_of(failed: float, over: bool, words: str, enough: int = ENOUGH) -> Verdict:
    """Judge that nothing failed; of a run that goes on, once so many did.

    Raises:
        Undecided: some did, and the run goes on.
    """
    if 0 < failed < enough and not over:
        raise Undecided("the run goes on")
    return Verdict.at_most(failed, 0, words)


@dataclass(frozen=True)
class Outcome:
    """What an order brought about: `refused` is the reason if it was refused."""

    refused: str
    live: int
    running: Sequence[str]
    moments: Sequence[tuple[str, float]]  # of an order that tells its steps


def order(stack: Stack, name: str, *words: str) -> Outcome:
    """Give an order of `at_the_supervisor`.

    Raises:
        Exception: anything but a refusal.
    """
    return outcome(
        stack, *at(AT_THE_SUPERVISOR, f"ordered({', '.join([name, *map(repr, words)])})")
    )


def at(module: str, call: str) -> tuple[str, ...]:
    """Return what has manage.py run a module of `inside/` where the service runs."""
    source = (Path(__file__).parent / "inside" / module).read_text(encoding="utf-8")
    return "shell", "--no-imports", "-c", f"{source}\n{call}"


def outcome(stack: Stack, *words: str) -> Outcome:
    try:
        told: dict[str, Any] = json.loads(stack.manage(*words))
    except Exception as error:
        lines = str(getattr(error, "log", "")).splitlines()
        said = [line.removeprefix("refused: ") for line in lines if line.startswith("refused: ")]
        if not said:
            raise
        return Outcome(said[-1], 0, (), ())
    return Outcome(
        "", told["live"]["number"], told["running"], [(a, b) for a, b in told.get("moments", ())]
    )


def begin(stack: Stack, way: str) -> int:
    """Operate the service in that way; return the number of the release that is live."""
    begun = order(stack, "begin", way)
    if begun.refused:
        raise ExperimentError(f"the service does not begin: {begun.refused}")
    return begun.live


def replaced(stack: Stack, folder: str) -> Outcome:
    """Put the release in `folder` in the place of the live one."""
    return outcome(stack, "release", "start", folder)
