"""The claims of this example, each driven against a running stack and judged from what it answered.

Races are widened by a barrier that the example does not know of: the table of departures is locked,
so a computation that has read the airport's row stops before its departures, for as long as it takes.
Computations are counted by two sequences of the database, whichever process makes them.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Self
from urllib.parse import quote, urlsplit

import psycopg

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Request,
    Sample,
    Stack,
    UnexpectedAnswer,
    Verdict,
    ask,
    rest,
    values,
    volley,
)

PAGES, ALTERNATES = "flights_pages_read", "flights_alternates_computed"
FROM_REDIS = {"Cache-Control": "no-cache"}  # not from the local layer of a process
DEADLINE_SECONDS = 20.0


class Database:
    """What only the database knows: computations, who is blocked, and writes past the example."""

    def __init__(self, stack: Stack) -> None:
        self._url = stack.services["postgres"]
        self._connection = psycopg.connect(self._url, autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def execute(self, statement: str, *args: object) -> None:
        """Write as another client does."""
        self._connection.execute(statement, args)

    def codes(self, count: int = 1) -> list[str]:
        """Return airports that have departures, others in each run."""
        query = "SELECT airport_id FROM flights_departure GROUP BY 1 ORDER BY random() LIMIT %s"
        return [code for (code,) in self._connection.execute(query, [count])]

    def every_code(self) -> list[str]:
        return [
            code
            for (code,) in self._connection.execute("SELECT code FROM flights_airport ORDER BY 1")
        ]

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

    def _number(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def barrier(self) -> Iterator[None]:
        """Let no computation pass its last step."""
        with psycopg.connect(self._url) as connection:
            connection.execute("LOCK TABLE flights_departure IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()

    def wait_blocked(self, count: int = 1) -> None:
        end = time.monotonic() + DEADLINE_SECONDS
        while self.blocked() < count:
            if time.monotonic() > end:
                raise ExperimentError(f"no computation came to the barrier in {DEADLINE_SECONDS} s")
            rest(0.01)


def url(stack: Stack, variant: str, code: str, end: str = "") -> str:
    return f"{stack.url}/api/{variant}/airports/{code}/{end}"


def version(answer: Answer) -> int:
    """Return the version of the page that was answered."""
    return int(json.loads(page(answer).body)["version"])


def page(answer: Answer) -> Answer:
    """Return the answer, if it is a page.

    Raises:
        UnexpectedAnswer: it is not.
    """
    if answer.status != 200:
        said = answer.error or answer.body[:200].decode(errors="replace")
        raise UnexpectedAnswer(f"status {answer.status}: {said}")
    return answer


class Operator:
    """Renames airports over one connection."""

    def __init__(self, stack: Stack) -> None:
        self._headers = {"Authorization": f"Bearer {stack.staff_token}"}
        self._connection = http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def edit(self, code: str, name: str, how: str = "save") -> int:
        """Return the version that everybody sees once this has returned."""
        path = f"/api/airports/{code}/edits/?name={quote(name)}&how={how}"
        self._connection.request("POST", path, headers=self._headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise UnexpectedAnswer(f"an edit got {response.status}: {body[:200]!r}")
        return int(json.loads(body)["version"])


def send(target: str) -> http.client.HTTPConnection:
    """Send a request and go on without its answer."""
    parts = urlsplit(target)
    connection = http.client.HTTPConnection(parts.netloc, timeout=DEADLINE_SECONDS)
    connection.request("GET", parts.path)
    return connection


def last(samples: Sequence[Sample], series: str) -> float:
    """Return the latest value; ValueError if there is none yet."""
    return max(enumerate(values(samples, series)))[1]


class OneComputePerMiss(Experiment):
    slug = "one-compute-per-miss"
    claim = "200 readers who miss at once in 4 server processes cause one computation, and get its result."
    holds = ("dogpile", "layered")
    refuted = ("cache_page", "get_or_set")
    units = {"computations": "computations", "answered": "answers"}
    chart = Chart("computations", "computations of one page")
    parameters = (Parameter("readers", 200, 20, 400, "readers"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database:
            (code,) = database.codes()
            before = database.count(ALTERNATES)
            requests = [Request(url(stack, variant, code, "alternates/"))] * int(params["readers"])
            bodies = set()
            start = time.monotonic()
            for number, answer in enumerate(
                volley(requests, processes=4, connections=50, timeout_seconds=60), 1
            ):
                bodies.add(page(answer).body)
                yield Sample(answer.received - start, "answered", number)
                if number % 10 == 0:
                    count = database.count(ALTERNATES) - before
                    yield Sample(time.monotonic() - start, "computations", count)
            if len(bodies) != 1:
                raise UnexpectedAnswer(f"{len(bodies)} different answers")
            count = database.count(ALTERNATES) - before
            yield Sample(time.monotonic() - start, "computations", count)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        count = max(values(samples, "computations"))
        answered = max(values(samples, "answered"))
        sign = "<=" if count <= 1 else ">"
        figure = f"{count:.0f} computations {sign} 1 for {answered:.0f} readers"
        return Verdict(count <= 1, figure, count, 1)


class NobodyWaitsAtExpiry(Experiment):
    """Hits; the entry expires, and what renews it stands at the barrier while there are readers; hits."""

    slug = "nobody-waits-at-expiry"
    claim = (
        "When an entry expires under 200 readers, each of them is answered before the one "
        "computation that renews it is over."
    )
    holds = ("layered",)
    refuted = ("cache_page", "get_or_set")
    units = {
        "answer": "1: had to be computed, 2: stale, 3: from the cache",
        "waited": "readers that waited for a computation",
        "computations": "computations",
    }
    chart = Chart(
        "answer", "where answers came from", "points", levels=("computed", "stale", "cache")
    )
    parameters = (
        Parameter("readers", 200, 20, 400, "readers"),
        Parameter("held", 2, 1, 10, "seconds at most"),
    )

    EXPIRES_SECONDS = 2.0
    COMPUTED, STALE, HIT = 1.0, 2.0, 3.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database, Database(stack) as watch:
            (code,) = database.codes()
            requests = [Request(url(stack, variant, code, "alternates/"))] * int(params["readers"])
            start = time.monotonic()
            page(ask(requests[0].url))
            computed = time.monotonic()
            yield Sample(computed - start, "answer", self.COMPUTED)
            yield from self._hits(requests[:20], start)
            rest(self.EXPIRES_SECONDS + 0.2 - (time.monotonic() - computed))
            before = database.count(ALTERNATES)
            yield from self._crowd(database, watch, requests, params["held"], start)
            self._settle(database)
            count = database.count(ALTERNATES) - before
            yield Sample(time.monotonic() - start, "computations", count)
            yield from self._hits(requests[:20], start)

    def _hits(self, requests: list[Request], start: float) -> Iterator[Sample]:
        for answer in volley(requests, processes=2, connections=5, rate=40):
            page(answer)
            yield Sample(answer.received - start, "answer", self.HIT)

    def _crowd(
        self,
        database: Database,
        watch: Database,
        requests: list[Request],
        held_seconds: float,
        start: float,
    ) -> Iterator[Sample]:
        holding, done = threading.Event(), threading.Event()
        released_at: list[float] = []

        def hold() -> None:
            with watch.barrier():
                holding.set()
                done.wait(held_seconds)
                released_at.append(time.monotonic())

        barrier = threading.Thread(target=hold, daemon=True)
        barrier.start()
        holding.wait()
        stale = 0
        for answer in volley(requests, processes=4, connections=50, timeout_seconds=60):
            page(answer)
            before = not released_at or answer.received < released_at[0]
            stale += before
            kind = self.STALE if before else self.COMPUTED
            yield Sample(answer.received - start, "answer", kind)
            if stale == len(requests):
                database.wait_blocked()
                done.set()
        done.set()
        barrier.join()
        if stale:  # somebody else's computation
            yield Sample(released_at[0] - start, "answer", self.COMPUTED)
        yield Sample(time.monotonic() - start, "waited", len(requests) - stale)

    @staticmethod
    def _settle(database: Database) -> None:
        """Wait until the computation that was held has ended."""
        last = -1
        while (now := database.count(ALTERNATES)) != last:
            last = now
            rest(0.4)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        counts = values(samples, "computations")
        if not counts:
            raise ValueError("the computation is not over")
        waited, count = last(samples, "waited"), counts[-1]
        holds = waited == 0 and count <= 1
        sign = "<=" if waited == 0 else ">"
        figure = (
            f"{waited:.0f} of {params['readers']:.0f} waited {sign} 0, {count:.0f} computations"
        )
        return Verdict(holds, figure, waited, 0)


class TheHolderMayDie(Experiment):
    slug = "the-holder-may-die"
    claim = (
        "If the process that computes is killed, the next reader fills within the lease and 0.5 s; "
        "if it is slower than its lease, its late result is never served."
    )
    holds = ("layered",)
    refuted = ("lock",)
    units = {
        "waited": "s beyond the lease",
        "late": "old results served",
        "version": "version served",
    }
    chart = Chart("late", "late results served", bound=0)

    LEASE_SECONDS = 3.0
    SPARE_SECONDS = 0.5

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        yield Sample(0, "late", 0)
        with Database(stack) as database:
            killed, slow = database.codes(2)
            with database.barrier():
                holder = send(url(stack, variant, killed))
                database.wait_blocked()
                began = time.monotonic()
                stack.kill("web")
            holder.close()
            stack.start("web")
            stack.wait_ready()
            due = max(time.monotonic(), began + self.LEASE_SECONDS)
            page(ask(url(stack, variant, killed), timeout_seconds=DEADLINE_SECONDS))
            yield Sample(time.monotonic() - start, "waited", max(0, time.monotonic() - due))

            with database.barrier():
                holder = send(url(stack, variant, slow))
                database.wait_blocked()
                rest(self.LEASE_SECONDS + 0.3)
                with Operator(stack) as operator:
                    current = operator.edit(slow, f"Renamed {random.random()}")
            holder.getresponse().read()
            holder.close()
            served = version(page(ask(url(stack, variant, slow), FROM_REDIS)))
            yield Sample(time.monotonic() - start, "late", float(served < current))

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        waited, late = values(samples, "waited"), last(samples, "late")
        if not waited:
            raise ValueError("nobody was killed yet")
        figure = f"{late:.0f} late results served, next fill {waited[0]:.2f} s after the lease"
        return Verdict(late == 0 and waited[0] <= self.SPARE_SECONDS, figure, late, 0)


class NeverStaleAfterCommit(Experiment):
    """First the fill race in its worst order, then two writers against readers in two ways."""

    slug = "never-stale-after-commit"
    claim = (
        "Once an edit is acknowledged nobody is served an older version through Redis, nor through "
        "another process' local layer 250 ms later: in the fill race, and under two writers."
    )
    holds = ("layered",)
    refuted = ("get_or_set", "signals", "dogpile")
    units = {
        "race": "1 if the old version was served after the race",
        "through Redis": "ms behind the last acknowledged edit",
        "local": "ms behind the last acknowledged edit, through a local layer",
        "behind": "ms behind the last acknowledged edit",
    }
    chart = Chart("behind", "milliseconds behind the last acknowledged edit", "points", bound=250)
    parameters = (
        Parameter("seconds", 4, 2, 20, "s"),
        Parameter("rate", 120, 40, 400, "reads/s"),
        Parameter("races", 3, 1, 10, "races"),
    )

    LOCAL_MS = 250.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        with Database(stack) as database, Operator(stack) as operator:
            codes = database.codes(int(params["races"]) + 2)
            for code in codes[2:]:
                with database.barrier():
                    reader = send(url(stack, variant, code))
                    database.wait_blocked()
                    current = operator.edit(code, f"Renamed {random.random()}")
                reader.getresponse().read()
                reader.close()
                old = version(page(ask(url(stack, variant, code), FROM_REDIS))) < current
                yield Sample(time.monotonic() - start, "race", float(old))
        yield from self._stress(stack, variant, codes[:2], params, start)

    def _stress(
        self, stack: Stack, variant: str, codes: list[str], params: Params, start: float
    ) -> Iterator[Sample]:
        over = threading.Event()
        edits: dict[str, list[tuple[float, int]]] = {code: [] for code in codes}

        def write(code: str) -> None:
            with Operator(stack) as operator:
                while not over.is_set():
                    made = operator.edit(code, f"Renamed {random.random()}")
                    edits[code].append((time.monotonic(), made))
                    over.wait(0.15)

        writers = [threading.Thread(target=write, args=[code], daemon=True) for code in codes]
        for writer in writers:
            writer.start()
        # Half of the reads go past the local layer.
        kinds = [(code, headers) for code in codes for headers in ({}, FROM_REDIS)]
        chosen = [kinds[number % 4] for number in range(int(params["rate"] * params["seconds"]))]
        requests = [Request(url(stack, variant, code), headers) for code, headers in chosen]
        try:
            for answer in volley(requests, processes=2, connections=4, rate=params["rate"]):
                code, headers = chosen[answer.request]
                found = version(answer)
                # The first newer version that was acknowledged before this read began.
                newer = [at for at, made in list(edits[code]) if made > found and at < answer.sent]
                behind_ms = 1000 * (answer.sent - newer[0]) if newer else 0.0
                yield Sample(answer.received - start, "behind", behind_ms)
                if headers:
                    yield Sample(answer.received - start, "through Redis", behind_ms)
                elif answer.headers.get("cache-status", "").endswith("=local"):
                    yield Sample(answer.received - start, "local", behind_ms)
        finally:
            over.set()
            for writer in writers:
                writer.join()
        if any(len(made) < params["seconds"] for made in edits.values()):
            raise ExperimentError("there were too few edits to read between")

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        races = sum(values(samples, "race"))
        redis = sum(ms > 0 for ms in values(samples, "through Redis"))
        behind = values(samples, "behind")
        late = sum(ms > self.LOCAL_MS for ms in behind)
        worst = max(behind, default=0)
        figure = (
            f"{races:.0f} of {len(values(samples, 'race'))} races lost, {redis} stale through Redis, "
            f"{late} older than 250 ms (oldest {worst:.0f} ms) of {len(behind)}"
        )
        if near := values(samples, "local"):
            figure += f", {len(near)} of them from local layers"
        total = races + redis + late
        return Verdict(total == 0, figure, total, 0)


class RollbackIsInvisible(Experiment):
    slug = "rollback-is-invisible"
    claim = "An edit that is rolled back, as a whole or to a savepoint, is never read and purges nothing."
    holds = ("layered",)
    refuted = ("signals",)
    units = {"computations": "computations after rolled-back edits", "uncommitted": "reads"}
    chart = Chart("computations", "computations caused by edits that never were", bound=0)
    parameters = (Parameter("edits", 10, 2, 50, "edits"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        uncommitted = 0
        with Database(stack) as database, Operator(stack) as operator:
            (code,) = database.codes()
            target = url(stack, variant, code)
            warm = page(ask(target)).body
            before = database.count(PAGES)
            for number in range(int(params["edits"])):
                operator.edit(code, f"Never {random.random()}", ("preview", "partial")[number % 2])
                for headers in ({}, FROM_REDIS):
                    uncommitted += page(ask(target, headers)).body != warm
                now = time.monotonic() - start
                yield Sample(now, "computations", database.count(PAGES) - before)
                yield Sample(now, "uncommitted", uncommitted)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        count, read = last(samples, "computations"), sum(values(samples, "uncommitted")[-1:])
        figure = f"{count:.0f} computations, {read:.0f} uncommitted reads"
        return Verdict(count + read == 0, figure, count + read, 0)


class EveryWriteCounts(Experiment):
    slug = "every-write-counts"
    claim = (
        "A write that passes by the model (QuerySet.update, raw SQL of another client, a row of "
        "another table) is served within 500 ms."
    )
    holds = ("layered",)
    refuted = ("signals",)
    units = {"fresh after": "ms", "never": "writes not served within 1.5 s"}
    chart = Chart("fresh after", "milliseconds until a write is served", "points", bound=500)
    parameters = (Parameter("rounds", 1, 1, 20, "rounds"),)

    MOST_MS = 500.0
    GIVE_UP_SECONDS = 1.5

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        with Database(stack) as database, Operator(stack) as operator:

            def ways(code: str) -> tuple[Callable[[], object], ...]:
                row = "UPDATE flights_airport SET city = city || '!' WHERE code = %s"
                board = "UPDATE flights_departure SET minute = minute + 1 WHERE airport_id = %s"
                return (
                    lambda: operator.edit(code, f"Updated {random.random()}", "update"),
                    lambda: database.execute(row, code),
                    lambda: database.execute(board, code),
                )

            for code in database.codes(int(params["rounds"])):
                target = url(stack, variant, code)
                before = version(page(ask(target)))
                for write in ways(code):
                    write()
                    written = time.monotonic()
                    while (found := version(page(ask(target)))) == before:
                        if time.monotonic() > written + self.GIVE_UP_SECONDS:
                            break
                        rest(0.005)
                    ms = 1000 * (time.monotonic() - written)
                    now = time.monotonic() - start
                    yield Sample(now, "fresh after", ms)
                    yield Sample(now, "never", float(found == before))
                    before = found

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        took, never = values(samples, "fresh after"), values(samples, "never")
        lost, slowest = sum(never), max(took)
        holds = lost == 0 and slowest <= self.MOST_MS
        figure = f"{lost:.0f} of {len(never)} writes not served, slowest {slowest:.0f} ms"
        return Verdict(holds, figure, slowest, self.MOST_MS)


class RedisMayDie(Experiment):
    """Steady reads; Redis is stopped, computations pile up at the barrier; it comes back, and freezes."""

    slug = "redis-may-die"
    claim = (
        "While Redis is stopped or frozen every request is answered with a page, no more than 16 "
        "computations are in the database at a time, and within 5 s of its return the pages are cached "
        "and current."
    )
    holds = ("layered",)
    refuted = ("get_or_set",)
    units = {
        "failed": "requests without a page",
        "in the database": "computations at a time",
        "cached again": "s after the return of Redis",
        "stale": "old pages after the return of Redis",
        "failed while frozen": "requests without a page",
        "slowest while frozen": "s until an answer",
    }
    chart = Chart("failed", "requests without a page", bound=0)
    parameters = (Parameter("rate", 60, 20, 200, "requests/s"),)

    CAP = 16
    BACK_SECONDS = 5.0
    SECONDS = 6.0
    FROZEN_SECONDS = 2.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database:
            codes = database.codes(20)
            yield from self._drive(stack, database, variant, codes, params)
            if variant in self.refuted:
                return  # its clients wait for a frozen server without end
            yield from self._recovers(stack, codes)
            yield from self._frozen(stack, database, variant, codes, params)
            yield from self._recovers(stack, codes)

    def _drive(
        self, stack: Stack, database: Database, variant: str, codes: list[str], params: Params
    ) -> Iterator[Sample]:
        for code in codes:
            page(ask(url(stack, variant, code)))
        count = int(params["rate"] * self.SECONDS)
        requests = [Request(url(stack, variant, codes[n % len(codes)])) for n in range(count)]
        start, failed, phase = time.monotonic(), 0, "before"
        yield Sample(0, "failed", 0)
        answers = volley(
            requests, processes=2, connections=50, rate=params["rate"], timeout_seconds=15
        )
        for answer in answers:
            now = time.monotonic() - start
            if answer.status != 200:
                failed += 1
                yield Sample(answer.received - start, "failed", failed)
            if phase == "before" and now > 1:
                phase = "gone"
                stack.stop("redis")
                gone = time.monotonic()
                yield from self._piled_up(database, start)
                database.execute(
                    "UPDATE flights_airport SET city = city || '!' WHERE code = ANY(%s)", codes
                )
            elif phase == "gone" and time.monotonic() > gone + 2:
                phase = "back"
                stack.start("redis")
        if phase != "back":
            stack.start("redis")
        yield Sample(time.monotonic() - start, "failed", failed)

    @staticmethod
    def _piled_up(database: Database, start: float) -> Iterator[Sample]:
        with database.barrier():
            end = time.monotonic() + 1
            while time.monotonic() < end:
                yield Sample(time.monotonic() - start, "in the database", database.blocked())
                rest(0.05)

    def _frozen(
        self, stack: Stack, database: Database, variant: str, codes: list[str], params: Params
    ) -> Iterator[Sample]:
        """Connections stay open, and nothing is answered."""
        count = int(params["rate"] * self.FROZEN_SECONDS)
        requests = [Request(url(stack, variant, codes[n % len(codes)])) for n in range(count)]
        with stack.paused("redis"):
            answers = list(
                volley(
                    requests, processes=2, connections=50, rate=params["rate"], timeout_seconds=15
                )
            )
            renew = "UPDATE flights_airport SET city = city || '!' WHERE code = ANY(%s)"
            database.execute(renew, codes)
        yield Sample(self.SECONDS, "failed while frozen", sum(a.status != 200 for a in answers))
        yield Sample(
            self.SECONDS, "slowest while frozen", max(answer.seconds for answer in answers)
        )

    def _recovers(self, stack: Stack, codes: list[str]) -> Iterator[Sample]:
        # What was written while nobody could hear of it.
        expected = {code: version(page(ask(url(stack, "uncached", code)))) for code in codes}
        start, code, in_a_row = time.monotonic(), codes[0], 0
        while in_a_row < 20 and time.monotonic() < start + 2 * self.BACK_SECONDS:
            answer = page(ask(url(stack, "layered", code)))
            cached = answer.headers.get("cache-status", "").endswith(("=redis", "=local"))
            in_a_row = in_a_row + 1 if cached else 0
        yield Sample(self.SECONDS, "cached again", time.monotonic() - start)
        stale = sum(
            version(page(ask(url(stack, "layered", code)))) < current
            for code, current in expected.items()
        )
        yield Sample(self.SECONDS, "stale", stale)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        failed = last(samples, "failed") + sum(values(samples, "failed while frozen"))
        most = max(values(samples, "in the database"), default=0)
        back = values(samples, "cached again")
        slowest, stale = values(samples, "slowest while frozen"), sum(values(samples, "stale"))
        holds = failed == 0 and most <= self.CAP and stale == 0
        holds = holds and max(back, default=0) <= self.BACK_SECONDS
        figure = f"{failed:.0f} failed, at most {most:.0f} in the database"
        if back:
            figure += f", cached again after {max(back):.1f} s, {stale:.0f} stale"
        if slowest:
            figure += f"; slowest answer of a frozen Redis {slowest[-1]:.1f} s"
        return Verdict(holds, figure, failed, 0)


class TheEdgeIsFreshAndPrivate(Experiment):
    """Through the CDN: a cold crowd, edits, the fill race, two kinds of readers, and an origin that stops."""

    slug = "the-edge-is-fresh-and-private"
    claim = (
        "Through the CDN 200 cold requests reach the origin once, an edit is served within 250 ms and "
        "leaves other pages there, no body crosses users, and pages are served on while the origin is down."
    )
    holds = ("layered",)
    refuted = ("cache_page",)
    needs = ("varnish",)
    units = {
        "at the origin": "requests of a cold crowd that reached the origin",
        "fresh after": "ms until the CDN served an edit",
        "evicted": "other pages that an edit evicted",
        "race": "1 if the old version was served after the race",
        "crossed": "answers with another reader's body",
        "lost": "requests without a page while the origin was down",
    }
    chart = Chart("fresh after", "milliseconds until the CDN serves an edit", "points", bound=250)
    parameters = (
        Parameter("readers", 200, 20, 400, "readers"),
        Parameter("edits", 5, 1, 50, "edits"),
    )

    MOST_MS = 250.0
    GIVE_UP_SECONDS = 1.0
    GATHER_SECONDS = 0.5  # for the crowd to arrive while the one computation stands at the barrier
    PAST_SECONDS = (
        8.0  # the CDN keeps alternates for 2 s, and serves them for 5 s more if all is well
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        self.start = time.monotonic()
        edge = f"{stack.services['varnish']}/api/{variant}/airports"
        with Database(stack) as database, Operator(stack) as operator:
            self._wait_up(stack)
            cold, edited, other, raced, *mixed = database.codes(8)
            requests = [Request(f"{edge}/{cold}/")] * int(params["readers"])
            yield self._now("at the origin", self._crowd(stack, requests))
            for _ in range(int(params["edits"])):
                yield from self._edit(operator, f"{edge}/{edited}/", f"{edge}/{other}/", edited)
                if variant in self.refuted:
                    break  # it is never served: five times would prove the same
            yield self._race(database, operator, f"{edge}/{raced}/", raced)
            yield self._mixed(stack, [f"{edge}/{code}/" for code in mixed])
            if variant == "layered":
                yield self._without_origin(stack, f"{edge}/{other}/alternates/")

    @staticmethod
    def _wait_up(stack: Stack) -> None:
        """Return once the CDN has seen its origin answer: it asks every second."""
        end = time.monotonic() + DEADLINE_SECONDS
        while ask(f"{stack.services['varnish']}/healthz").status != 200:
            if time.monotonic() > end:
                raise ExperimentError("the CDN does not find its origin")
            rest(0.1)

    def _now(self, series: str, value: float) -> Sample:
        return Sample(time.monotonic() - self.start, series, value)

    def _crowd(self, stack: Stack, requests: list[Request]) -> int:
        """Return how many requests the CDN passed on, holding the first one until all are there."""
        holding, over = threading.Event(), threading.Event()

        def hold() -> None:
            with Database(stack) as database, database.barrier():
                holding.set()
                end = time.monotonic() + DEADLINE_SECONDS
                while not database.blocked() and not over.is_set() and time.monotonic() < end:
                    time.sleep(0.01)
                time.sleep(self.GATHER_SECONDS)

        barrier = threading.Thread(target=hold, daemon=True)
        barrier.start()
        holding.wait()
        try:
            answers = volley(requests, processes=4, connections=50, timeout_seconds=30)
            return sum(not fetched(answer) for answer in answers)
        finally:
            over.set()
            barrier.join()

    def _edit(self, operator: Operator, target: str, other: str, code: str) -> Iterator[Sample]:
        page(ask(target))
        kept = fetched(ask(other)) or fetched(ask(other))
        current = operator.edit(code, f"Renamed {random.random()}")
        written = time.monotonic()
        while version(page(ask(target))) < current:
            if time.monotonic() > written + self.GIVE_UP_SECONDS:
                break
            rest(0.005)
        yield self._now("fresh after", 1000 * (time.monotonic() - written))
        yield self._now("evicted", fetched(ask(other)) != kept)

    def _race(self, database: Database, operator: Operator, target: str, code: str) -> Sample:
        with database.barrier():
            reader = send(target)
            database.wait_blocked()
            current = operator.edit(code, f"Renamed {random.random()}")
        reader.getresponse().read()
        reader.close()
        return self._now("race", version(page(ask(target))) < current)

    def _mixed(self, stack: Stack, targets: list[str]) -> Sample:
        """Return how many readers got what is not theirs: staff see where to edit, nobody else does."""
        staff = {"Authorization": f"Bearer {stack.staff_token}"}
        poison = {"X-Forwarded-Host": "poison.example", "Cookie": "reader=somebody"}
        kinds = [{}, staff, poison, staff]
        requests = [Request(targets[n % len(targets)], kinds[n // 7 % 4]) for n in range(200)]
        crossed = 0
        for answer in volley(requests, processes=2, connections=10):
            for_staff = "edits" in json.loads(page(answer).body)
            crossed += for_staff != (requests[answer.request].headers is staff)
            crossed += b"poison" in answer.body or "poison" in str(answer.headers)
        return self._now("crossed", crossed)

    def _without_origin(self, stack: Stack, target: str) -> Sample:
        known = page(ask(target)).body
        with stack.killed("web"):
            rest(self.PAST_SECONDS)
            answers = list(volley([Request(target)] * 50, processes=2, connections=5))
        stack.wait_ready()
        return self._now("lost", sum(each.status != 200 or each.body != known for each in answers))

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        origin, took = last(samples, "at the origin"), values(samples, "fresh after")
        slowest = max(took)
        evicted, race = sum(values(samples, "evicted")), sum(values(samples, "race"))
        crossed, lost = values(samples, "crossed"), values(samples, "lost")
        if not crossed:
            raise ValueError("the readers are not through")
        holds = origin <= 1 and slowest <= self.MOST_MS
        holds = holds and evicted + race + crossed[-1] + sum(lost) == 0
        figure = (
            f"{origin:.0f} of {params['readers']:.0f} at the origin, an edit served after at most "
            f"{slowest:.0f} ms {'<=' if slowest <= self.MOST_MS else '>'} {self.MOST_MS:.0f}, "
            f"{evicted:.0f} other pages evicted, {race:.0f} races lost, {crossed[-1]:.0f} bodies crossed"
        )
        if lost:
            figure += f", {lost[-1]:.0f} requests lost without the origin"
        return Verdict(holds, figure, slowest, self.MOST_MS)


def fetched(answer: Answer) -> str:
    """Return which of the CDN's fetches the page is from; empty if it fetched it for this request."""
    return page(answer).headers["x-varnish"].partition(" ")[2]


class DatabaseLoadFalls(Experiment):
    slug = "database-load-falls"
    claim = (
        "20,000 reads that follow Zipf's law over 28,403 airports read each airport that is drawn "
        "from the tables once; on the way to 100,000 reads only new ones are added."
    )
    holds = ("layered",)
    refuted = ("uncached",)
    units = {"read": "pages read from the tables", "distinct": "airports drawn"}
    chart = Chart("read", "pages read from the tables", logarithmic=True)
    parameters = (
        Parameter("reads", 20_000, 2_000, 100_000, "reads"),
        Parameter("growth", 80_000, 0, 100_000, "more reads"),
        Parameter("exponent", 1.1, 0.8, 1.5, ""),
    )

    BATCH = 100  # pages in a request

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        if variant == "layered":
            stack.manage("cache", "purge", "*")
        draw = random.Random(1)
        with Database(stack) as database:
            codes = database.every_code()
            draw.shuffle(codes)
            weights = list(
                accumulate(rank ** -params["exponent"] for rank in range(1, len(codes) + 1))
            )
            # What refutes is refuted by the first part.
            growth = params["growth"] if variant == "layered" else 0
            drawn = draw.choices(codes, cum_weights=weights, k=int(params["reads"] + growth))
            before, start = database.count(PAGES), time.monotonic()
            first = int(params["reads"])
            seen: set[str] = set()
            for part in (drawn[:first], drawn[first:]):
                seen.update(part)
                yield from self._read(stack, database, variant, part, before, start)
                if part:
                    yield Sample(time.monotonic() - start, "distinct", len(seen))

    def _read(
        self,
        stack: Stack,
        database: Database,
        variant: str,
        drawn: list[str],
        before: int,
        start: float,
    ) -> Iterator[Sample]:
        batches = [drawn[n : n + self.BATCH] for n in range(0, len(drawn), self.BATCH)]
        requests = [
            Request(f"{stack.url}/api/{variant}/pages/?codes={','.join(batch)}")
            for batch in batches
        ]
        if not requests:
            return
        for number, answer in enumerate(
            volley(requests, processes=2, connections=6, timeout_seconds=60), 1
        ):
            if page(answer).body.count(b'"code"') != len(batches[answer.request]):
                raise UnexpectedAnswer("an answer lacks airports")
            if number % 20 == 0 or number == len(requests):
                now = time.monotonic() - start
                yield Sample(now, "read", database.count(PAGES) - before)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        distinct = values(samples, "distinct")
        if not distinct:
            raise ValueError("the first part is not over")
        # The reads of each part: the last count before its number of airports.
        marks = [index for index, each in enumerate(samples) if each.series == "distinct"]
        reads = [values(samples[:mark], "read")[-1] for mark in marks]
        holds = all(read <= drawn for read, drawn in zip(reads, distinct, strict=True))
        figure = "; then ".join(
            f"{read:.0f} {'<=' if read <= drawn else '>'} {drawn:.0f}"
            for read, drawn in zip(reads, distinct, strict=True)
        )
        return Verdict(holds, f"read {figure}", reads[-1], distinct[-1])
