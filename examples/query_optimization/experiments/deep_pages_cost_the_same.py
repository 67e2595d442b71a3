"""Read a page near the end of 10,000, 336,776 and 1,000,000 flights; then walk through a week.

The largest table is the real one three times, two of them years later. It and the smallest one are
temporary tables under the same name, so the same statement reads them. The page at 90 % lies among the real
flights, so a cursor of the service stands for a row of each table.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
)

from . import SHIFTED, buffers, connect, explained, number, plans, told


class DeepPagesCostTheSame(Experiment):
    slug = "deep-pages-cost-the-same"
    claim = (
        "A page at 90 % of 10,000, 336,776 and 1,000,000 rows reads at most 15 buffers and at most 5 "
        "more than the first, and a walk forth and back under inserts meets each row once each way."
    )
    holds = ("optimized",)
    refuted = ("naive", "or_keyset")
    first = Series("pages of 8 kB read for the first page")
    deep = Series("pages of 8 kB read for the page at 90 %")
    more = Series("pages of 8 kB more than for the first page")
    wrong = Series("rows missed or repeated")
    walked = Series("rows walked through")
    chart = Chart(
        deep, "buffers of a page at 90 %", x="rows", mark="points", bound=15, logarithmic=True
    )
    parameters = (Parameter("rows", 1_000_000, 400_000, 1_000_000, "rows"),)

    SIZE = 20
    WALK_SIZE = 200
    WALK_FROM = datetime(2013, 1, 4, 12, tzinfo=UTC)
    INSERTED = 9999  # the flight number of inserted rows; no real flight has it
    MOST_BUFFERS, MOST_MORE = 15, 5
    MOST_PAGES = 100  # of 3,000 rows: links that lead in a circle have no end

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with connect(stack, autocommit=True) as connection:
            real = number(connection, "SELECT count(*) FROM flights_flight")
            # The largest first: a variant that it refutes has a second left, enough for the others.
            for rows in (int(params["rows"]), real, 10_000):
                with self._table(connection, rows, real):
                    first = self._buffers(stack, connection, variant, rows, 0)
                    deep = self._buffers(stack, connection, variant, rows, rows * 9 // 10)
                yield self.first(first, x=rows)
                yield self.deep(deep, x=rows)
                yield self.more(deep - first, x=rows)
        yield from self._walk(stack, variant)

    @contextmanager
    def _table(self, connection: psycopg.Connection[Any], rows: int, real: int) -> Iterator[None]:
        """Shadow the table of flights with one of `rows`, in the order in which they left."""
        if rows == real:
            yield
            return
        years = range(-(-rows // real))
        copies = sql.SQL(" UNION ALL ").join(SHIFTED.format(year=year) for year in years)
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
        if depth and self._numbered(stack, path):
            path += f"&number={depth // self.SIZE + 1}"
        elif depth:
            (moment,) = connection.execute(
                "SELECT scheduled_departure FROM flights_flight"
                " ORDER BY scheduled_departure DESC, id DESC OFFSET %s LIMIT 1",
                [depth],
            ).fetchone() or (self.WALK_FROM,)
            # What follows a page is asked for with a cursor, as clients do.
            link = told(stack, f"{path}&before={moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")["next"]
            if not link:
                raise ExperimentError(f"{path} has no page after it")
            path = f"/api/{variant}/pages/{link}"
        statements = [plan["sql"] for plan in plans(stack, path)]
        page = next((each for each in statements if "ORDER BY" in each), "")
        if not page:
            raise ExperimentError(f"{path} asks PostgreSQL for no rows in an order")
        return buffers(explained(connection, page))

    @staticmethod
    def _numbered(stack: Stack, path: str) -> bool:
        """Whether a variant's links go on by the number of a page."""
        return "number=" in (told(stack, path)["next"] or "")

    def _walk(self, stack: Stack, variant: str) -> Iterator[Sample]:
        with connect(stack, autocommit=True) as connection:
            there = {
                row
                for (row,) in connection.execute(
                    "SELECT id FROM flights_flight WHERE scheduled_departure <= %s",
                    [self.WALK_FROM],
                )
            }
            newer = number(
                connection,
                "SELECT count(*) FROM flights_flight WHERE scheduled_departure > %s",
                self.WALK_FROM,
            )
            link = f"?size={self.WALK_SIZE}&before={self.WALK_FROM:%Y-%m-%dT%H:%M:%SZ}"
            if self._numbered(stack, f"/api/{variant}/pages/?size={self.WALK_SIZE}"):
                link = f"?size={self.WALK_SIZE}&number={newer // self.WALK_SIZE + 1}"
            try:
                forth, pages, links = Counter[int](), 0, link
                while links and pages < self.MOST_PAGES:
                    page = told(stack, f"/api/{variant}/pages/{links}")
                    forth.update(flight["id"] for flight in page["flights"])
                    pages, links = pages + 1, page["next"]
                    self._insert(connection)
                back = Counter(flight["id"] for flight in page["flights"])
                while (links := page["previous"]) and not self._is_past(page):
                    if (pages := pages + 1) > 2 * self.MOST_PAGES:
                        break
                    page = told(stack, f"/api/{variant}/pages/{links}")
                    back.update(flight["id"] for flight in page["flights"])
                    self._insert(connection)
            finally:
                connection.execute("DELETE FROM flights_flight WHERE number = %s", [self.INSERTED])
        wrong = sum((forth[row] != 1) + (back[row] != 1) for row in there)
        yield self.walked(len(there))
        yield self.wrong(wrong)

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

    def judge(self, samples: Samples, params: Params) -> Verdict:
        deep = Verdict.at_most(
            max(samples.values(self.deep), default=0),
            self.MOST_BUFFERS,
            "{measured} buffers for a page at 90 %, {bound} are allowed",
        ) & Verdict.at_most(
            max(samples.values(self.more), default=0),
            self.MOST_MORE,
            "{measured} more than for the first page, {bound} are allowed",
        )
        if not deep.holds and not samples.of(self.wrong):
            return deep
        walked = samples.last(self.walked)
        words = f"{{measured}} of {walked:,.0f} rows missed or repeated"
        return (
            deep
            & Verdict.at_most(samples.last(self.wrong), 0, words)
            & Verdict.at_least(walked, 1_000, "{measured} rows walked through, at least {bound}")
        )
