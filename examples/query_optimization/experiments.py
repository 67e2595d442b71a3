"""The claims of this example, each driven against a running stack and judged from what it counted.

Nothing here is judged by a stopwatch except how long a refused request waits: queries, buffers, rows
and connections are counted, and two speeds are compared within one run.
"""

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg
from psycopg import sql

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
    Verdict,
    ask,
    last,
    volley,
)

# As the example's own connections are set up: the same planner for both.
PLANNER = "-c jit=off -c random_page_cost=1.1 -c max_parallel_workers_per_gather=0"
# All flights, so many years earlier.
SHIFTED = sql.SQL("""
SELECT id + {year} * 1000000 AS id, airline_id, number, plane_id, origin_id, destination_id,
    scheduled_departure - {year} * interval '1 year' AS scheduled_departure, departure_delay,
    departed - {year} * interval '1 year' AS departed, arrival_delay, air_minutes, distance_miles
FROM public.flights_flight
""")
PATIENCE_SECONDS = 60  # a naive query on a busy machine; tells "answered" from "hung"


def staff(stack: Stack) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack.staff_token}"}


def answered(stack: Stack, path: str) -> Answer:
    """Ask as staff, who are told what the answer cost.

    Raises:
        ExperimentError: the answer is none; it proves nothing.
    """
    answer = ask(f"{stack.url}{path}", staff(stack), PATIENCE_SECONDS)
    if answer.status != 200:
        said = answer.error or answer.body[:300].decode(errors="replace")
        raise ExperimentError(f"{path}: status {answer.status}: {said}")
    return answer


def told(stack: Stack, path: str) -> Any:
    return json.loads(answered(stack, path).body)


def plans(stack: Stack, path: str) -> list[dict[str, Any]]:
    """Return the different statements behind `path`, each with its executed plan."""
    found: list[dict[str, Any]] = told(stack, f"/api/plans/?path={quote(path, safe='')}")["plans"]
    return found


def connect(stack: Stack, **more: Any) -> psycopg.Connection[Any]:
    return psycopg.connect(
        stack.services["postgres"], options=PLANNER, application_name="experiment", **more
    )


def explained(connection: psycopg.Connection[Any], statement: str) -> dict[str, Any]:
    """Run a statement and return the root of its plan."""
    row = connection.execute(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}".encode()
    ).fetchone()
    if row is None:
        raise ExperimentError("EXPLAIN said nothing")
    root: dict[str, Any] = row[0][0]["Plan"]
    return root


def buffers(root: dict[str, Any]) -> int:
    """Pages of 8 kB the statement looked at, wherever they were."""
    kinds = (f"{where} {how} Blocks" for where in ("Shared", "Local") for how in ("Hit", "Read"))
    return sum(root.get(kind, 0) for kind in kinds)


def indexes(root: dict[str, Any]) -> set[str]:
    found = {root["Index Name"]} if "Index Name" in root else set()
    return found.union(*(indexes(child) for child in root.get("Plans", ())))


def most(samples: Sequence[Sample], series: str) -> float:
    return max((each.value for each in samples if each.series == series), default=0)


def settle(samples: Sequence[Sample], end: str, *, refuted: bool) -> None:
    """Let a run be judged that has refuted its claim already, or has come to its `end`.

    Raises:
        ValueError: neither; there is no telling yet.
    """
    if not refuted and all(each.series != end for each in samples):
        raise ValueError("the run has not ended")


class QueriesDoNotGrow(Experiment):
    slug = "queries-do-not-grow"
    claim = (
        "Every list takes the same number of queries for 5, 50 and 500 rows, and its JSON is equal to "
        "that of the naive way, byte for byte."
    )
    holds = ("eager", "optimized")
    refuted = ("naive", "fetch_peers")
    units = {
        "queries": "queries of one request",
        "queries more than for 5 rows": "queries",
        "answers that differ": "answers",
        "lists": "lists",
    }
    chart = Chart("queries more than for 5 rows", "queries more than for 5 rows")

    ROWS = (5, 50, 500)
    LISTS = 7  # none may be left out
    PAGED_OTHERWISE = ("pages",)  # by position: its links differ, and its rows are compared

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        everything = {each["name"]: each["lists"] for each in told(stack, "/api/")["variants"]}
        lists = [each for each in everything[variant] if each["rows"]]
        paths = {
            one["name"]: [
                f"{one['example']}{'&' if '?' in one['example'] else '?'}{one['rows']}={rows}"
                for rows in self.ROWS
            ]
            for one in lists
        }
        growth = 0
        answers: dict[str, Answer] = {}
        for each in paths.values():
            answers |= {path: answered(stack, path) for path in each}
            queries = [self._queries(answers[path]) for path in each]
            growth = max(growth, queries[-1] - queries[0], queries[1] - queries[0])
            now = time.monotonic() - start
            for number in queries:
                yield Sample(now, "queries", number)
            yield Sample(now, "queries more than for 5 rows", growth)
            if growth:  # refuted: the other lists need not be asked, nor the answers be right
                break
        if not growth:
            naive = self._naive(stack, variant, list(answers))
            different = sum(
                self._said(name, answers[path]) != self._said(name, naive[path])
                for name, each in paths.items()
                for path in each
            )
            yield Sample(time.monotonic() - start, "answers that differ", different)
        yield Sample(time.monotonic() - start, "lists", len(lists))

    def _naive(self, stack: Stack, variant: str, paths: list[str]) -> dict[str, Answer]:
        """Return what the naive way answers to the same paths, all asked for at once."""
        requests = [
            Request(f"{stack.url}{path.replace(f'/{variant}/', '/naive/', 1)}") for path in paths
        ]
        found = {}
        for answer in volley(
            requests, processes=2, connections=2, timeout_seconds=PATIENCE_SECONDS
        ):
            if answer.status != 200:
                raise ExperimentError(f"{requests[answer.request].url}: status {answer.status}")
            found[paths[answer.request]] = answer
        return found

    def _said(self, name: str, answer: Answer) -> bytes:
        if name in self.PAGED_OTHERWISE:
            return json.dumps(json.loads(answer.body)["flights"]).encode()
        return answer.body

    def _queries(self, answer: Answer) -> int:
        match = re.search(r'desc="(\d+) queries"', answer.headers.get("server-timing", ""))
        if not match:
            raise ExperimentError("the answer does not tell its queries")
        return int(match[1])

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        growth, different = (
            last(samples, "queries more than for 5 rows"),
            last(samples, "answers that differ"),
        )
        settle(samples, "lists", refuted=bool(growth or different))
        worst = most(samples, "queries")
        figure = f"up to {worst:.0f} queries, {growth:.0f} more for 500 rows than for 5"
        if different:
            figure += f"; {different:.0f} answers differ"
        holds = growth == 0 and different == 0 and last(samples, "lists") >= self.LISTS
        return Verdict(holds, figure, growth, 0)


class TheIndexIsUsed(Experiment):
    """Ask each path of the catalogue for its plans; then drop its index, and expect to be told.

    An assertion that cannot fail asserts nothing: without its index each query has to miss, within a
    transaction that is rolled back.
    """

    slug = "the-index-is-used"
    claim = (
        "Each query of the catalogue uses its index and stays within its bound of buffers, and the "
        "same check fails once that index is dropped."
    )
    holds = ("optimized",)
    refuted = ("naive",)
    units = {
        "buffers": "pages of 8 kB",
        "off their index": "queries",
        "not missed": "indexes that can go unnoticed",
        "times its bound": "ratio",
        "queries": "queries of the catalogue",
    }
    chart = Chart(
        "times its bound",
        "buffers read by a query, times its bound",
        mark="points",
        bound=1,
        logarithmic=True,
    )

    QUERIES = 9  # of the catalogue; none may be left out

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        entries = told(stack, "/api/catalogue/")["indexes"]
        off = unnoticed = 0
        for entry in entries:
            expected = entry["expected"]
            found = plans(stack, entry["path"].format(variant=variant))
            read = max(plan["buffers"] for plan in found)
            missed = self._misses(expected, [plan["plan"] for plan in found])
            off += missed
            if not missed:
                unnoticed += not self._missed_without(stack, expected, found)
            now = time.monotonic() - start
            yield Sample(now, "buffers", read)
            yield Sample(now, "times its bound", read / expected["max_buffers"])
            yield Sample(now, "off their index", off)
            yield Sample(now, "not missed", unnoticed)
        yield Sample(time.monotonic() - start, "queries", len(entries))

    def _misses(self, expected: dict[str, Any], roots: list[dict[str, Any]]) -> bool:
        used = set[str]().union(*(indexes(root) for root in roots))
        return expected["index"] not in used or any(
            buffers(root) > expected["max_buffers"] for root in roots
        )

    def _missed_without(
        self, stack: Stack, expected: dict[str, Any], found: list[dict[str, Any]]
    ) -> bool:
        with connect(stack) as connection, connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(expected["index"])))
            return self._misses(expected, [explained(connection, plan["sql"]) for plan in found])

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        off, unnoticed, queries = (
            last(samples, series) for series in ("off their index", "not missed", "queries")
        )
        settle(samples, "queries", refuted=bool(off or unnoticed))
        worst = most(samples, "buffers")
        figure = (
            f"{off:.0f} of {queries:.0f} queries off their index or bound, "
            f"worst reads {worst:,.0f} buffers"
        )
        if unnoticed:
            figure += f"; {unnoticed:.0f} dropped indexes went unnoticed"
        return Verdict(off == unnoticed == 0 and queries >= self.QUERIES, figure, off, 0)


class DeepPagesCostTheSame(Experiment):
    """Read a page near the end of 10,000, 336,776 and 1,000,000 flights; then walk through a week.

    The larger table is the real one three times, two of them years earlier. It and the smaller one are
    temporary tables under the same name, so the same statement reads them.
    """

    slug = "deep-pages-cost-the-same"
    claim = (
        "A page at 90 % of 10,000, 336,776 and 1,000,000 rows reads at most 15 buffers and at most 5 "
        "more than the first, and a walk forth and back under inserts meets each row once each way."
    )
    holds = ("optimized",)
    refuted = ("naive", "or_keyset")
    units = {
        "buffers of the first page": "pages of 8 kB",
        "buffers at 90 %": "pages of 8 kB",
        "buffers more than the first page": "pages of 8 kB",
        "missed or repeated": "rows",
        "walked": "rows",
    }
    chart = Chart(
        "buffers at 90 %", "buffers of a page at 90 %", mark="points", bound=15, logarithmic=True
    )
    parameters = (Parameter("rows", 1_000_000, 400_000, 1_000_000, "rows"),)

    SIZE = 20
    WALK_SIZE = 200
    WALK_FROM = datetime(2013, 1, 4, 12, tzinfo=UTC)
    INSERTED = 9999  # the flight number of inserted rows; no real flight has it
    MOST_BUFFERS, MOST_MORE = 15, 5

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        with connect(stack, autocommit=True) as connection:
            (real,) = connection.execute("SELECT count(*) FROM flights_flight").fetchone() or (0,)
            for rows in (10_000, real, int(params["rows"])):
                with self._table(connection, rows, real):
                    first = self._buffers(stack, connection, variant, rows, 0)
                    deep = self._buffers(stack, connection, variant, rows, rows * 9 // 10)
                now = time.monotonic() - start
                yield Sample(now, "buffers of the first page", first)
                yield Sample(now, "buffers at 90 %", deep)
                yield Sample(now, "buffers more than the first page", deep - first)
        yield from self._walk(stack, variant, start)

    @contextmanager
    def _table(self, connection: psycopg.Connection[Any], rows: int, real: int) -> Iterator[None]:
        """Shadow the table of flights with one of `rows`, in the order in which they left."""
        if rows == real:
            yield
            return
        years = range(-(-rows // real))
        copies = sql.SQL(" UNION ALL ").join(SHIFTED.format(year=year) for year in reversed(years))
        connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE flights_flight AS {} LIMIT {}").format(copies, rows)
        )
        connection.execute("CREATE INDEX ON flights_flight (scheduled_departure DESC, id DESC)")
        connection.execute("ANALYZE flights_flight")
        try:
            yield
        finally:
            connection.execute("DROP TABLE pg_temp.flights_flight")

    def _buffers(
        self,
        stack: Stack,
        connection: psycopg.Connection[Any],
        variant: str,
        rows: int,
        depth: int,
    ) -> int:
        """Return what the variant's own statement reads for the page that begins after `depth` rows."""
        path = f"/api/{variant}/pages/?size={self.SIZE}"
        if depth and variant == "naive":
            path += f"&number={depth // self.SIZE + 1}"
        elif depth:
            (moment,) = connection.execute(
                "SELECT scheduled_departure FROM flights_flight"
                " ORDER BY scheduled_departure DESC, id DESC OFFSET %s LIMIT 1",
                [depth],
            ).fetchone() or (None,)
            path += f"&before={moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        statements = [plan["sql"] for plan in plans(stack, path)]
        page = next(each for each in statements if "ORDER BY" in each)
        return buffers(explained(connection, page))

    def _walk(self, stack: Stack, variant: str, start: float) -> Iterator[Sample]:
        with connect(stack, autocommit=True) as connection:
            there = {
                row
                for (row,) in connection.execute(
                    "SELECT id FROM flights_flight WHERE scheduled_departure <= %s",
                    [self.WALK_FROM],
                )
            }
            (newer,) = connection.execute(
                "SELECT count(*) FROM flights_flight WHERE scheduled_departure > %s",
                [self.WALK_FROM],
            ).fetchone() or (0,)
            link = f"?size={self.WALK_SIZE}&before={self.WALK_FROM:%Y-%m-%dT%H:%M:%SZ}"
            if variant == "naive":
                link = f"?size={self.WALK_SIZE}&number={newer // self.WALK_SIZE + 1}"
            try:
                forth, pages, links = Counter[int](), 0, link
                while links:
                    page = told(stack, f"/api/{variant}/pages/{links}")
                    forth.update(flight["id"] for flight in page["flights"])
                    pages, links = pages + 1, page["next"]
                    self._insert(connection)
                back = Counter(flight["id"] for flight in page["flights"])
                while (links := page["previous"]) and not self._is_past(page):
                    page = told(stack, f"/api/{variant}/pages/{links}")
                    back.update(flight["id"] for flight in page["flights"])
                    self._insert(connection)
            finally:
                connection.execute("DELETE FROM flights_flight WHERE number = %s", [self.INSERTED])
        wrong = sum((forth[row] != 1) + (back[row] != 1) for row in there)
        now = time.monotonic() - start
        yield Sample(now, "missed or repeated", wrong)
        yield Sample(now, "walked", len(there))

    def _is_past(self, page: dict[str, Any]) -> bool:
        """Whether a page on the way back begins after the moment where the walk began."""
        newest = page["flights"][0]["scheduled_departure"] if page["flights"] else ""
        return newest > f"{self.WALK_FROM:%Y-%m-%dT%H:%MZ}"

    def _insert(self, connection: psycopg.Connection[Any]) -> None:
        """Insert two flights, each anywhere in the days that are walked through."""
        for _ in range(2):
            moment = self.WALK_FROM - timedelta(minutes=random.randrange(3 * 24 * 60))
            connection.execute(
                "INSERT INTO flights_flight (airline_id, number, origin_id, destination_id,"
                " scheduled_departure, distance_miles) VALUES ('UA', %s, 'JFK', 'LAX', %s, 2475)",
                [self.INSERTED, moment],
            )

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        deep, more, wrong, walked = (
            most(samples, "buffers at 90 %"),
            most(samples, "buffers more than the first page"),
            last(samples, "missed or repeated"),
            last(samples, "walked"),
        )
        dear = deep > self.MOST_BUFFERS or more > self.MOST_MORE
        settle(samples, "walked", refuted=dear or wrong > 0)
        figure = f"{deep:,.0f} buffers at 90 %, {wrong:.0f} of {walked:.0f} rows missed or repeated"
        holds = not dear and wrong == 0 < walked
        return Verdict(holds, figure, deep, self.MOST_BUFFERS)


class AggregatesAreRight(Experiment):
    slug = "aggregates-are-right"
    claim = (
        "Flights, cancellations, mean delay and wet hours of three airports in twelve months are those "
        "that plain loops count in the CSV files."
    )
    holds = ("optimized",)
    refuted = ("naive", "eager")
    units = {
        "wrong": "rows of the report",
        "rows": "rows of the report",
        "flights": "flights",
        "flights of the files": "flights",
    }
    chart = Chart("wrong", "rows of the report that are wrong")

    ENOUGH = (
        9  # wrong rows: a quarter of the year, after which nothing is learnt from another month
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        truth = json.loads(stack.manage("oracle"))
        wrong = rows = flown = 0
        for month in (f"2013-{number:02}" for number in range(1, 13)):
            said = {
                row["airport"]: row
                for row in told(stack, f"/api/{variant}/report/?month={month}")["airports"]
            }
            expected = {row["airport"]: row for row in truth[month]}
            rows += len(expected)
            flown += sum(row["flights"] for row in expected.values())
            wrong += sum(
                not self._same(said.get(airport), row) for airport, row in expected.items()
            ) + len(said.keys() - expected.keys())
            now = time.monotonic() - start
            yield Sample(now, "flights", sum(row["flights"] for row in said.values()))
            yield Sample(now, "wrong", wrong)
            if wrong >= self.ENOUGH:
                break
        now = time.monotonic() - start
        yield Sample(now, "flights of the files", flown)
        yield Sample(now, "rows", rows)

    def _same(self, said: dict[str, Any] | None, expected: dict[str, Any]) -> bool:
        if said is None:
            return False
        # Both round to two places; two sums of the same numbers may differ in their last bit.
        near = abs(said["mean_delay"] - expected["mean_delay"]) <= 0.0101
        return near and said | {"mean_delay": 0} == expected | {"mean_delay": 0}

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        wrong, rows = last(samples, "wrong"), last(samples, "rows")
        settle(samples, "rows", refuted=wrong > 0)
        flights = sum(each.value for each in samples if each.series == "flights")
        there = last(samples, "flights of the files")
        figure = (
            f"{wrong:.0f} of {rows:.0f} rows wrong, {flights:,.0f} flights reported of {there:,.0f}"
        )
        return Verdict(wrong == 0 and rows == 36, figure, wrong, 0)


class OverloadIsRefused(Experiment):
    """Send 64 requests at once, each with a query of two seconds, and count the server's backends."""

    slug = "overload-is-refused"
    claim = (
        "Under 64 concurrent requests a pool of 8 never holds more than 8 backends, and whoever gets "
        "none is told so (503) within the pool's timeout of 1 s and half a second."
    )
    holds = ("optimized",)
    refuted = ("naive",)
    units = {
        "backends": "connections",
        "served": "requests",
        "refused": "requests",
        "waited for a refusal": "seconds",
        "neither": "requests",
    }
    chart = Chart("backends", "backends of the server", bound=8)
    parameters = (Parameter("requests", 64, 16, 64, "requests"),)

    POOL, SLOWEST_SECONDS, QUERY_SECONDS = 8, 1.5, 2
    NAMES = {"naive": "direct", "optimized": "pooled"}

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        request = Request(
            f"{stack.url}/api/{variant}/long/?seconds={self.QUERY_SECONDS}", staff(stack)
        )
        counts = Counter[int]()
        slowest = 0.0
        backends: list[tuple[float, int]] = []
        start = time.monotonic()
        with self._watched(stack, self.NAMES[variant], backends):
            for answer in volley(
                [request] * int(params["requests"]), processes=4, connections=16, timeout_seconds=30
            ):
                counts[answer.status] += 1
                if answer.status == 503:
                    slowest = max(slowest, answer.seconds)
        for moment, number in backends:
            yield Sample(moment - start, "backends", number)
        now = time.monotonic() - start
        yield Sample(now, "refused", counts[503])
        yield Sample(now, "neither", sum(counts.values()) - counts[200] - counts[503])
        yield Sample(now, "waited for a refusal", slowest)
        yield Sample(now, "served", counts[200])

    @contextmanager
    def _watched(
        self, stack: Stack, name: str, backends: list[tuple[float, int]]
    ) -> Iterator[None]:
        """Count the connections of that name until the end of the block."""
        over = threading.Event()

        def watch() -> None:
            with connect(stack, autocommit=True) as connection:
                while not over.wait(0.02):
                    (number,) = connection.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [name]
                    ).fetchone() or (0,)
                    backends.append((time.monotonic(), number))

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        backends, slowest = most(samples, "backends"), last(samples, "waited for a refusal")
        served, refused, neither = (
            last(samples, series) for series in ("served", "refused", "neither")
        )
        settle(samples, "served", refuted=backends > self.POOL)
        figure = f"{backends:.0f} backends; {served:.0f} served, {refused:.0f} refused"
        if refused:
            figure += f", the last after {slowest:.2f} s"
        holds = (
            backends <= self.POOL
            and slowest <= self.SLOWEST_SECONDS
            and neither == 0
            and served >= self.POOL
        )
        return Verdict(holds, figure, backends, self.POOL)


class LoadingIsBulk(Experiment):
    slug = "loading-is-bulk"
    claim = (
        "Loading inserts at least 4 times as many rows a second as bulk_create and 50 times as many as "
        "create, and neither loading nor exporting takes memory that grows with the number of rows."
    )
    holds = ("copy",)
    refuted = ("create", "bulk_create")
    units = {
        "rows per second": "rows",
        "times bulk_create": "ratio",
        "times create": "ratio",
        "peak memory of loading": "bytes",
        "peak memory of exporting": "bytes",
    }
    chart = Chart(
        "times bulk_create", "speed, bulk_create = 1", mark="points", bound=4, logarithmic=True
    )

    MOST_GROWTH = 1.5  # of the peak, for four times the rows

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        figures = json.loads(stack.manage("ladder", variant))
        speeds = figures["rows_per_second"]
        now = time.monotonic() - start
        yield Sample(now, "rows per second", speeds[variant])
        for other in ("bulk_create", "create"):
            yield Sample(now, f"times {other}", speeds[variant] / speeds[other])
        for what, peaks in (("loading", "peak_bytes"), ("exporting", "export_peak_bytes")):
            for peak in figures[peaks]:
                yield Sample(now, f"peak memory of {what}", peak)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        bulk, single = last(samples, "times bulk_create"), last(samples, "times create")
        loading, exporting = (
            self._growth(samples, f"peak memory of {what}") for what in ("loading", "exporting")
        )
        figure = (
            f"{bulk:,.1f} x bulk_create, {single:,.0f} x create; for four times the rows memory "
            f"x {loading:.1f} to load and x {exporting:.1f} to export"
        )
        holds = bulk >= 4 and single >= 50 and max(loading, exporting) <= self.MOST_GROWTH
        return Verdict(holds, figure, bulk, 4)

    def _growth(self, samples: Sequence[Sample], series: str) -> float:
        few, many = (each.value for each in samples if each.series == series)
        return many / few


# What a release of the code sends, which knows the minutes by the name of one column.
INSERT = sql.SQL("INSERT INTO {table} (flight_id, {column}) VALUES (%(id)s, 17)")
INSERT_CAUSE = sql.SQL("INSERT INTO {table} (flight_id, {column}, cause) VALUES (%(id)s, 17, '')")
SELECT = sql.SQL("SELECT {column} FROM {table} WHERE flight_id = %(id)s")
SELECT_CAUSE = sql.SQL("SELECT {column}, cause FROM {table} WHERE flight_id = %(id)s")
UPDATE = sql.SQL("UPDATE {table} SET {column} = 42 WHERE flight_id = %(id)s")


class Release(NamedTuple):
    """A release of the code: what it calls the minutes, and whether it knows the cause."""

    minutes: str
    cause: bool


FIRST, RENAMED, LAST = (
    Release("late", cause=True),
    Release("delay_minutes", cause=True),
    Release("delay_minutes", cause=False),
)
# Migration -> the release that runs while it is made, and the one that is deployed after it.
PLANS = {
    "in_place": {
        "0001": (FIRST, FIRST),
        "0002": (FIRST, RENAMED),
        "0003": (RENAMED, LAST),
    },
    "expand_contract": {
        "0001": (FIRST, FIRST),
        "0002": (FIRST, FIRST),
        "0003": (FIRST, FIRST),
        "0004": (FIRST, RENAMED),
        "0005": (RENAMED, RENAMED),
        "0006": (RENAMED, LAST),
    },
}


class OldCodeKeepsWorking(Experiment):
    """After each migration, send what both releases around it send; kill the backfill on the way.

    A release that writes a row and one that reads it have to agree on its minutes.
    """

    slug = "old-code-keeps-working"
    claim = (
        "After each migration of a rename and a removal, what the release before it and the one after it "
        "send succeeds and agrees, and a backfill killed with SIGKILL ends, run again, with no row wrong."
    )
    holds = ("expand_contract",)
    refuted = ("in_place",)
    units = {
        "failed": "statements of running code",
        "sent": "statements",
        "disagreed": "values read otherwise than written",
        "left to fill": "rows",
        "rows wrong": "rows",
        "migrations": "migrations",
    }
    chart = Chart("failed", "failed statements of running code")

    BATCHES_BEFORE_DEATH = 2

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        stack.manage("begin", variant)
        sent = failed = disagreed = 0
        for number, (migration, releases) in enumerate(PLANS[variant].items()):
            if variant == "expand_contract" and migration == "0003":
                yield from self._killed_backfill(stack, start)
            stack.manage("migrate", variant, migration, "--skip-checks")
            for writer, reader in {
                releases,
                releases[::-1],
                (releases[0],) * 2,
                (releases[1],) * 2,
            }:
                sent += 4
                errors, others = self._send(stack, f"{variant}_delay", writer, reader, -1 - number)
                failed, disagreed = failed + errors, disagreed + others
            now = time.monotonic() - start
            yield Sample(now, "failed", failed)
            yield Sample(now, "disagreed", disagreed)
            yield Sample(now, "sent", sent)
            if variant == "expand_contract" and migration == "0004":
                yield Sample(now, "rows wrong", self._wrong(stack))
        yield Sample(time.monotonic() - start, "migrations", len(PLANS[variant]))

    def _send(
        self, stack: Stack, table: str, writer: Release, reader: Release, row: int
    ) -> tuple[int, int]:
        """Write as one release, read as the other; return what failed and what was read otherwise."""
        failed = disagreed = 0
        select = SELECT_CAUSE if reader.cause else SELECT
        steps = (
            (INSERT_CAUSE if writer.cause else INSERT, writer, None),
            (select, reader, 17),
            (UPDATE, writer, None),
            (select, reader, 42),
        )
        with connect(stack, autocommit=True) as connection:
            for statement, release, expected in steps:
                names = {"table": sql.Identifier(table), "column": sql.Identifier(release.minutes)}
                try:
                    answer = connection.execute(statement.format(**names), {"id": row})
                except psycopg.Error:
                    failed += 1
                    continue
                if expected is not None:
                    found = answer.fetchone()
                    disagreed += found is None or found[0] != expected
            connection.execute(
                sql.SQL("DELETE FROM {} WHERE flight_id = %s").format(sql.Identifier(table)), [row]
            )
        return failed, disagreed

    def _killed_backfill(self, stack: Stack, start: float) -> Iterator[Sample]:
        yield Sample(time.monotonic() - start, "left to fill", self._left(stack))
        try:
            stack.manage("backfill", "--die-after", str(self.BATCHES_BEFORE_DEATH))
        except RuntimeError:
            pass  # it was killed, as it was told to be
        else:
            raise ExperimentError("the backfill ended before it could be killed")
        yield Sample(time.monotonic() - start, "left to fill", self._left(stack))

    def _left(self, stack: Stack) -> int:
        return self._count(stack, "delay_minutes IS NULL")

    def _wrong(self, stack: Stack) -> int:
        return self._count(stack, "delay_minutes IS DISTINCT FROM late")

    def _count(self, stack: Stack, condition: str) -> int:
        counted = f"SELECT count(*) FROM expand_contract_delay WHERE {condition}"  # noqa: S608 -- from above
        with connect(stack) as connection:
            (number,) = connection.execute(counted.encode()).fetchone() or (0,)
        return int(number)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        failed, sent, disagreed, wrong = (
            last(samples, series) for series in ("failed", "sent", "disagreed", "rows wrong")
        )
        settle(samples, "migrations", refuted=failed + disagreed + wrong > 0)
        left = [each.value for each in samples if each.series == "left to fill"]
        figure = f"{failed:.0f} of {sent:.0f} statements failed, {disagreed:.0f} values disagreed"
        killed_midway = len(left) < 2 or 0 < left[1] < left[0]
        if len(left) == 2:
            figure += (
                f"; killed with {left[1]:,.0f} of {left[0]:,.0f} rows to fill, "
                f"{wrong:.0f} wrong in the end"
            )
        holds = failed == 0 and disagreed == 0 and wrong == 0 and killed_midway
        return Verdict(holds, figure, failed, 0)


class EveryMigrationGoesBack(Experiment):
    slug = "every-migration-goes-back"
    claim = (
        "Each migration goes forth, back and forth again on three months of real delays with the same "
        "columns, indexes, constraints, triggers and row checksums as before."
    )
    holds = ("expand_contract",)
    refuted = ("in_place",)
    units = {"differ": "migrations", "migrations": "migrations"}
    chart = Chart("differ", "migrations that do not come back")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        steps = json.loads(stack.manage("rehearse", variant))
        now = time.monotonic() - start
        differ = 0
        for step in steps:
            differ += bool(step["back"] or step["again"])
            yield Sample(now, "differ", differ)
        yield Sample(now, "migrations", len(steps))

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        differ, migrations = last(samples, "differ"), last(samples, "migrations")
        settle(samples, "migrations", refuted=False)
        figure = f"{differ:.0f} of {migrations:.0f} migrations do not come back to the same rows and schema"
        return Verdict(differ == 0 < migrations, figure, differ, 0)


class WritersDoNotWait(Experiment):
    """Build an index on 1,000,000 rows under constant writes; add a column behind an open transaction.

    What is measured is how long the server saw anybody wait for a lock on the table, not how long an
    answer took: on a busy machine that would measure the machine.
    """

    slug = "writers-do-not-wait"
    claim = (
        "While an index and a constraint are made on 1,000,000 rows no writer waits 200 ms for a lock, and "
        "DDL behind a transaction of 3 s lets readers through after its lock timeout of 300 ms and half a "
        "second."
    )
    holds = ("expand_contract",)
    refuted = ("in_place",)
    units = {
        "waited for the index": "seconds",
        "waited for the constraint": "seconds",
        "waited for the column": "seconds",
        "written": "rows",
        "done": "changes made",
    }
    chart = Chart(
        "waited for the column", "longest wait of a reader for a lock, seconds", bound=0.8
    )
    parameters = (Parameter("rows", 1_000_000, 400_000, 1_000_000, "rows"),)

    INDEX_SECONDS, COLUMN_SECONDS, HELD_SECONDS = 0.2, 0.8, 3

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        with connect(stack, autocommit=True) as connection:
            self._fill(connection, int(params["rows"]))
            try:
                for what in ("index", "constraint"):
                    waits: list[tuple[float, float]] = []
                    with self._busy(stack, waits) as written:
                        stack.manage("alter", variant, what)
                    yield from self._samples(waits, f"waited for the {what}", start)
                    yield Sample(time.monotonic() - start, "written", len(written))
                waits = []
                with self._busy(stack, waits), self._held(stack):
                    stack.manage("alter", variant, "column")
                yield from self._samples(waits, "waited for the column", start)
                (done,) = connection.execute(
                    "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('busy_by_number')"
                    " AND indisvalid"
                ).fetchone() or (0,)
                (checked,) = connection.execute(
                    "SELECT count(*) FROM pg_constraint WHERE conrelid = 'busy'::regclass"
                    " AND conname = 'busy_flies' AND convalidated"
                ).fetchone() or (0,)
                (added,) = connection.execute(
                    "SELECT count(*) FROM pg_attribute WHERE attrelid = 'busy'::regclass"
                    " AND attname = 'gate'"
                ).fetchone() or (0,)
                yield Sample(time.monotonic() - start, "done", done + checked + added)
            finally:
                connection.execute("DROP TABLE busy")

    def _fill(self, connection: psycopg.Connection[Any], rows: int) -> None:
        connection.execute("DROP TABLE IF EXISTS busy")
        years = sql.SQL(" UNION ALL ").join(SHIFTED.format(year=year) for year in range(3))
        # An autovacuum would be one more who holds the table, whenever its minute comes.
        create = sql.SQL(
            "CREATE UNLOGGED TABLE busy WITH (autovacuum_enabled = off) AS {} LIMIT {}"
        )
        connection.execute(create.format(years, rows))

    @contextmanager
    def _busy(self, stack: Stack, waits: list[tuple[float, float]]) -> Iterator[list[int]]:
        """Write and read all the time, and note who waits for a lock, until the end of the block."""
        over = threading.Event()
        written: list[int] = []

        def work(statement: bytes) -> None:
            with psycopg.connect(
                stack.services["postgres"], application_name="worker", autocommit=True
            ) as connection:
                while not over.wait(0.005):
                    connection.execute(statement)
                    written.append(1)

        def watch() -> None:
            with connect(stack, autocommit=True) as connection:
                while not over.wait(0.02):
                    (longest,) = connection.execute(
                        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)"
                        " FROM pg_locks JOIN pg_stat_activity USING (pid)"
                        " WHERE NOT granted AND application_name = 'worker'"
                    ).fetchone() or (0,)
                    waits.append((time.monotonic(), float(longest)))

        insert = b"INSERT INTO busy (id, number, scheduled_departure) VALUES (0, 1, now())"
        jobs = [
            threading.Thread(target=work, args=(insert,), daemon=True),
            threading.Thread(target=work, args=(b"SELECT number FROM busy LIMIT 1",), daemon=True),
            threading.Thread(target=watch, daemon=True),
        ]
        for job in jobs:
            job.start()
        try:
            yield written
        finally:
            over.set()
            for job in jobs:
                job.join()

    @contextmanager
    def _held(self, stack: Stack) -> Iterator[None]:
        """Keep a transaction open that has read the table, until somebody has waited for it so long.

        Counted from the first who waits: how long a command takes to start is the machine's matter.
        """
        reading = threading.Event()

        def hold() -> None:
            with connect(stack) as connection:
                connection.execute("SELECT number FROM busy LIMIT 1")
                reading.set()
                deadline = time.monotonic() + PATIENCE_SECONDS
                while (
                    time.monotonic() < deadline
                    and not connection.execute(
                        "SELECT 1 FROM pg_locks WHERE relation = 'busy'::regclass AND NOT granted"
                    ).fetchone()
                ):
                    time.sleep(0.02)
                time.sleep(self.HELD_SECONDS)

        holder = threading.Thread(target=hold, daemon=True)
        holder.start()
        if not reading.wait(PATIENCE_SECONDS):
            raise ExperimentError("the transaction that is to be waited for did not begin")
        try:
            yield
        finally:
            holder.join()

    def _samples(
        self, waits: list[tuple[float, float]], series: str, start: float
    ) -> Iterator[Sample]:
        for moment, seconds in waits:
            yield Sample(moment - start, series, seconds)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        index, constraint, column = (
            most(samples, f"waited for the {what}") for what in ("index", "constraint", "column")
        )
        slow = max(index, constraint) >= self.INDEX_SECONDS or column > self.COLUMN_SECONDS
        settle(samples, "done", refuted=slow)
        written = [each.value for each in samples if each.series == "written"]
        figure = (
            f"waited {index:.2f} s for the index, {constraint:.2f} s for the constraint "
            f"and {column:.2f} s for the column"
        )
        holds = not slow and last(samples, "done") == 3 and len(written) == 2 and min(written) > 0
        return Verdict(holds, figure, column, self.COLUMN_SECONDS)
