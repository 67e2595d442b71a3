"""The claims of this example, and what they share: answers with their cost, plans, connections.

Nothing here is judged by a stopwatch except how long a refused request waits: queries, buffers, rows
and connections are counted, and two speeds are compared within one run.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from nexus.experiment import Answer, ExperimentError, Stack, ask, expect

CLAIMS = (
    "queries-do-not-grow",
    "the-index-is-used",
    "deep-pages-cost-the-same",
    "aggregates-are-right",
    "overload-is-refused",
    "loading-is-bulk",
)

BEGINS_AS = "naive"  # exercises/mine.py, where a reader begins

# As the example's own connections are set up: the same planner for both.
PLANNER = "-c jit=off -c random_page_cost=1.1 -c max_parallel_workers_per_gather=0"
# All flights, so many years later.
SHIFTED = sql.SQL("""
SELECT id + {year} * 1000000 AS id, airline_id, number, plane_id, origin_id, destination_id,
    scheduled_departure + {year} * interval '1 year' AS scheduled_departure, departure_delay,
    departed + {year} * interval '1 year' AS departed, arrival_delay, air_minutes, distance_miles
FROM public.flights_flight
""")
PATIENCE_SECONDS = 60  # a naive query on a busy machine; tells "answered" from "hung"


def staff(stack: Stack) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack.staff_token}"}


def answered(stack: Stack, path: str) -> Answer:
    """Ask as staff, who are told what the answer cost."""
    return expect(ask(f"{stack.url}{path}", staff(stack), PATIENCE_SECONDS), 200)


def told(stack: Stack, path: str) -> Any:
    return json.loads(answered(stack, path).body)


def plans(stack: Stack, path: str) -> list[dict[str, Any]]:
    """Return the different statements behind `path`, each with its executed plan."""
    found: list[dict[str, Any]] = told(stack, f"/api/plans/?path={quote(path, safe='')}")["plans"]
    return found


@contextmanager
def connect(stack: Stack, **more: Any) -> Iterator[psycopg.Connection[Any]]:
    """Connect until the end of the block.

    Raises:
        ExperimentError: a statement fails or does not end, as one of a reader's may.
    """
    options = f"{PLANNER} -c statement_timeout={PATIENCE_SECONDS}s"
    try:
        with psycopg.connect(
            stack.services["postgres"], options=options, application_name="experiment", **more
        ) as connection:
            yield connection
    except psycopg.Error as error:
        raise ExperimentError(f"PostgreSQL: {error}") from error


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


def number(connection: psycopg.Connection[Any], query: str, *args: object) -> int:
    """Return the one number that `query` answers."""
    row = connection.execute(query.encode(), args).fetchone()
    if row is None:
        raise ExperimentError(f"no row from: {query}")
    return int(row[0])
