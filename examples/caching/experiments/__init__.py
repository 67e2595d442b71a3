"""The claims of this example, and what they share: the database, an operator, readers that are held.

Races are widened by a barrier that the example does not know of: the table of departures is locked,
so a computation that has read the airport's row stops before its departures, for as long as it takes.
Computations are counted by two sequences of the database, whichever process makes them.
"""

import http.client
import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlsplit

import psycopg

from nexus.experiment import Answer, ExperimentError, Request, Stack, ask, expect, rest, until

CLAIMS = (
    "one-compute-per-miss",
    "nobody-waits-at-expiry",
    "the-holder-may-die",
    "never-stale-after-commit",
    "every-write-counts",
    "redis-may-die",
    "the-edge-is-fresh-and-private",
)

BEGINS_AS = "get_or_set"  # exercises/mine.py, where a reader begins

PAGES, ALTERNATES = "flights_pages_read", "flights_alternates_computed"
FROM_REDIS = {"Cache-Control": "no-cache"}  # not from the local layer of a process
DEADLINE_SECONDS = 20.0
GATHER_SECONDS = 0.5  # for the rest of a crowd to arrive while computations stand at the barrier


class Database:
    """What only the database knows: computations, who is blocked, and writes past the example."""

    _used: ClassVar[deque[str]] = deque(maxlen=2_000)

    def __init__(self, stack: Stack) -> None:
        self._url = stack.services["postgres"]
        self._connection = psycopg.connect(self._url, autocommit=True)

    def __enter__(self) -> Self:
        """Wait for the computations that an earlier run has left behind."""
        self.wait_computed()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def execute(self, statement: str, *args: object) -> None:
        """Write as another client does."""
        self._connection.execute(statement, args)

    @contextmanager
    def transaction(self) -> Iterator["psycopg.Connection"]:
        """Yield another client's connection, and commit at the end of the block."""
        with psycopg.connect(self._url) as connection:
            yield connection

    def codes(self, count: int) -> list[str]:
        """Return airports that have departures, others in each run: nobody has their pages yet."""
        query = (
            "SELECT airport_id FROM flights_departure WHERE airport_id <> ALL(%s)"
            " GROUP BY 1 ORDER BY random() LIMIT %s"
        )
        found = [code for (code,) in self._connection.execute(query, [list(self._used), count])]
        self._used.extend(found)
        return found

    def cut_relay(self) -> None:
        """End the connections on which purges are taken from the outbox."""
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'cache relay'"
        )

    def count(self, sequence: str) -> int:
        """Return how many computations there have been."""
        query = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"  # noqa: S608
        return self._number(query)

    def blocked(self) -> int:
        """Return how many computations stand at the barrier."""
        return self._number(
            "SELECT count(*) FROM pg_locks"
            " WHERE relation = 'flights_departure'::regclass AND NOT granted"
        )

    def wait_blocked(self, count: int = 1) -> None:
        self._wait(lambda: self.blocked() >= count, "too few computations come to the barrier")

    def wait_computed(self) -> None:
        """Return once no computation is under way."""
        running = (
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            " AND query LIKE '%flights_departure%' AND pid <> pg_backend_pid()"
        )
        self._wait(lambda: not self._number(running), "a computation does not end")

    def _number(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    @staticmethod
    def _wait(condition: Callable[[], bool], otherwise: str) -> None:
        if not until(condition, DEADLINE_SECONDS, 0.01):
            raise ExperimentError(f"{otherwise}, in {DEADLINE_SECONDS:.0f} s")

    @contextmanager
    def barrier(self) -> Iterator[None]:
        """Let no computation pass its last step."""
        with psycopg.connect(self._url) as connection:
            connection.execute("LOCK TABLE flights_departure IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()

    @contextmanager
    def crowded(self, computations: int, seconds: float) -> Iterator[list[float]]:
        """Hold the barrier until so many computations have come and a crowd could gather behind them.

        Or until the end of the block, or until `seconds` are over. Yields a list that is empty while
        the barrier is held, and then has the moment at which it was given up.
        """
        held, over = threading.Event(), threading.Event()
        given_up: list[float] = []

        def hold() -> None:
            with self.barrier():
                held.set()
                until(lambda: over.is_set() or self.blocked() >= computations, seconds, 0.02)
                over.wait(GATHER_SECONDS)
                given_up.append(time.monotonic())

        holder = threading.Thread(target=hold, daemon=True)
        holder.start()
        if not held.wait(DEADLINE_SECONDS):
            raise ExperimentError("the barrier cannot be set up")
        try:
            yield given_up
        finally:
            over.set()
            holder.join()


class Operator:
    """Renames airports over one connection."""

    def __init__(self, stack: Stack) -> None:
        self._headers = {"Authorization": f"Bearer {stack.staff_token}"}
        self._connection = http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def edit(self, code: str, how: str = "save") -> int:
        """Rename it, and return the version that everybody sees once this has returned."""
        name = quote(f"Renamed {random.random()}")
        path = f"/api/airports/{code}/edits/?name={name}&how={how}"
        with connected():
            self._connection.request("POST", path, headers=self._headers)
            response = self._connection.getresponse()
            body = response.read()
        if response.status != 200:
            raise ExperimentError(f"an edit got status {response.status}: {body[:200]!r}")
        return int(json.loads(body)["version"])


def url(stack: Stack, variant: str, code: str, end: str = "") -> str:
    return f"{stack.url}/api/{variant}/airports/{code}/{end}"


def page(request: str | Request, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask for a page, and return the answer if it is one."""
    return expect(ask(request, headers, DEADLINE_SECONDS), 200)


def document(answer: Answer) -> dict[str, Any]:
    """Return the page that was answered."""
    body = expect(answer, 200).body
    try:
        return dict(json.loads(body))
    except (ValueError, TypeError):
        raise ExperimentError(f"an answer is no page: {body[:80]!r}") from None


def version(answer: Answer) -> int:
    """Return the version of the page that was answered."""
    found = document(answer)
    try:
        return int(found["version"])
    except (KeyError, ValueError, TypeError):
        raise ExperimentError(f"an answer has no version: {answer.body[:80]!r}") from None


@contextmanager
def connected() -> Iterator[None]:
    """Let a connection that is cut, or on which nothing comes, end the experiment in a sentence."""
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise ExperimentError(f"a request got no answer: {error!r}") from error


def send(target: str) -> http.client.HTTPConnection:
    """Send a request and go on without its answer."""
    parts = urlsplit(target)
    connection = http.client.HTTPConnection(parts.netloc, timeout=DEADLINE_SECONDS)
    with connected():
        connection.request("GET", parts.path)
    return connection


def overtaken(
    stack: Stack, database: Database, targets: Mapping[str, str], held_seconds: float = 0
) -> dict[str, int]:
    """Let an edit of each airport overtake a reader who computes its page, and end what he computes.

    Args:
        targets: airport -> what its reader asks for.
        held_seconds: how long the readers are held before the edits.

    Returns:
        Airport -> the version that was acknowledged.
    """
    with database.barrier(), Operator(stack) as operator:
        readers = [send(target) for target in targets.values()]
        database.wait_blocked(len(readers))
        rest(held_seconds)
        current = {code: operator.edit(code) for code in targets}
    for reader in readers:
        with connected(), closing(reader):
            reader.getresponse().read()
    return current
