"""Measures every list of the example, naive beside solution, at three sizes, and one beside hand-written SQL.

One client asks the application in the same process: what a list costs, without a network and a server.
Other machines give other figures; what holds is how they grow, and their ratios.
`python benchmarks/query_optimization.py` needs DATABASE_URL, and the example on PYTHONPATH;
`make bench` sees to it. It makes databases beside that of DATABASE_URL, and drops them.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import outcome
import psycopg
from outcome import Cell
from psycopg import sql

COLUMNS = (
    "list",
    "rows",
    "naive, requests/s",
    "naive, p99 ms",
    "solution, requests/s",
    "solution, p99 ms",
    "solution's time / hand-written",
)
REAL, FEW, MANY = 336_776, 10_000, 1_000_000
GOAL = 1.5  # the board's time beside that of hand-written SQL
PACKAGES = ("django", "djangorestframework", "psycopg")
# The flights around the day that the lists ask for.
SHRINK = """
DELETE FROM flights_flight WHERE id NOT IN (
    SELECT id FROM flights_flight WHERE scheduled_departure >= '2013-06-26Z' ORDER BY id LIMIT {}
)
"""
GROW = """
INSERT INTO flights_flight (
    airline_id, number, plane_id, origin_id, destination_id, scheduled_departure, departed,
    departure_delay, arrival_delay, air_minutes, distance_miles
)
SELECT
    airline_id, number, plane_id, origin_id, destination_id, scheduled_departure + years,
    departed + years, departure_delay, arrival_delay, air_minutes, distance_miles
FROM flights_flight, (VALUES (1, interval '1 year'), (2, interval '2 years')) AS more (n, years)
ORDER BY n, id
LIMIT {}
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the measuring process found at one size: (list, variant) -> requests per second, p99 in ms."""

    lists: Mapping[str, Mapping[str, Sequence[float]]]
    board_beside_hand_written: float


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the lists, naive beside solution.")
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    output: Path | None = parser.parse_args().output
    url = os.environ.get("DATABASE_URL", "")
    try:
        with psycopg.connect(url, connect_timeout=2, autocommit=True) as admin:
            server = str(admin.info.parameter_status("server_version")).split()[0]
            found = run(url, admin)
    except psycopg.OperationalError as error:
        print(f"DATABASE_URL does not answer: {error}", file=sys.stderr)
        return 1
    rows = list(table(found))
    show(rows, found)
    if output:
        versions = {"python": platform.python_version(), "postgresql": server}
        versions |= {package: version(package) for package in PACKAGES}
        outcome.Measured(COLUMNS, rows, [goal(found)]).write(output, versions)
    return 0


def run(url: str, admin: psycopg.Connection[Any]) -> dict[int, Measured]:
    """Measure at each size, in a database of its own."""
    found = {}
    with made(url, admin) as loaded:
        manage(loaded, "prepare")
        for rows in (FEW, REAL, MANY):
            with made(url, admin, template=loaded) as resized:
                resize(resized, rows)
                print(f"measuring at {rows:,} rows …", file=sys.stderr)
                found[rows] = measured(resized)
    return found


@contextmanager
def made(url: str, admin: psycopg.Connection[Any], template: str = "") -> Iterator[str]:
    """Make a database and yield its address; drop it at the end."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    names = {
        "name": sql.Identifier(name),
        "template": sql.Identifier(urlsplit(template).path[1:] or "template1"),
    }
    admin.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**names))
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        admin.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**names))


def manage(url: str, *args: str) -> None:
    (example,) = (path for path in sys.path if (Path(path) / "manage.py").exists())
    env = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, "manage.py", *args]
    subprocess.run(command, cwd=example, env=env, check=True, stdout=subprocess.DEVNULL)


def resize(url: str, rows: int) -> None:
    """Leave `rows` flights in the table, in the order in which they left, as if loaded so."""
    from loading.without_indexes import without_indexes

    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        if rows > REAL:
            with without_indexes(cursor, "flights_flight"):
                cursor.execute(GROW.format(rows - REAL).encode())
        elif rows < REAL:
            cursor.execute(SHRINK.format(rows).encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (FULL, ANALYZE) flights_flight")
        connection.execute("VACUUM (ANALYZE)")
        (there,) = connection.execute("SELECT count(*) FROM flights_flight").fetchone() or (0,)
    if there != rows:
        raise RuntimeError(f"there are {there} flights, not {rows}")


def measured(url: str) -> Measured:
    """Measure in a process of its own, whose settings name that database."""
    script = Path(__file__).with_name("query_optimization_measures.py")
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        capture_output=True,
        text=True,
    )
    return Measured(**json.loads(done.stdout))


def table(found: Mapping[int, Measured]) -> Iterator[list[Cell]]:
    """Yield a row for each list and size."""
    names = next(iter(found.values())).lists
    for name in names:
        for rows, each in found.items():
            (naive, naive_p99), (solution, p99) = (
                each.lists[name][variant] for variant in ("naive", "optimized")
            )
            by_hand = round(each.board_beside_hand_written, 2) if name == "board" else ""
            naive_rate, rate = round(naive, 1), round(solution, 1)
            yield [name, rows, naive_rate, round(naive_p99, 1), rate, round(p99, 1), by_hand]


def show(rows: Sequence[Sequence[Cell]], found: Mapping[int, Measured]) -> None:
    widths = [max(len(str(row[n])) for row in (COLUMNS, *rows)) for n in range(len(COLUMNS))]
    for row in (COLUMNS, *rows):
        print("  ".join(f"{cell!s:>{width}}" for cell, width in zip(row, widths, strict=True)))
    met, text = goal(found)
    print("met   " if met else "MISSED", text)


def goal(found: Mapping[int, Measured]) -> tuple[bool, str]:
    """Return the one goal of this example, and whether this run met it."""
    ratios = [each.board_beside_hand_written for each in found.values()]
    figures = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    met = max(ratios) <= GOAL
    return met, f"the board in at most {GOAL} x the time of hand-written SQL: {figures}"


if __name__ == "__main__":
    sys.exit(main())
