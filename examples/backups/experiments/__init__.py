"""The claims of this example, and what they share: clients that book, and hands on server and backups.

The experiments keep their own list of what was acknowledged. Nothing here is judged by a stopwatch: bookings,
rows and reports are counted.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from nexus.experiment import ExperimentError, Request, Stack

CLAIMS = (
    "every-acknowledged-booking-comes-back",
    "a-backup-counts-once-restored",
    "a-live-copy-is-no-backup",
    "a-replica-is-no-backup",
    "back-to-the-minute-before",
    "a-gap-is-seen-tonight",
)
BEGINS_AS = "nightly_dump"  # exercises/mine.py, where a reader begins

REFERENCES = "SELECT reference FROM flights_booking"
EMPTY = """
DROP TABLE IF EXISTS season;
TRUNCATE flights_booking;
UPDATE flights_account SET balance_cents = 0;
"""
# The numbers from one to another as bookings, and the balances that they come to.
BOOK = """
WITH new AS (
    INSERT INTO flights_booking (reference, payer_id, payee_id, cents)
    SELECT 'b' || n, n %% 100 + 1, (n + 1 + n / 100 %% 99) %% 100 + 1, n %% 997 + 1
    FROM generate_series(%s::int, %s::int) AS n
    RETURNING payer_id, payee_id, cents
), moves AS (
    SELECT payer_id AS id, -cents AS cents FROM new UNION ALL SELECT payee_id, cents FROM new
)
UPDATE flights_account SET balance_cents = balance_cents + total
FROM (SELECT id, sum(cents) AS total FROM moves GROUP BY id) AS totals
WHERE flights_account.id = totals.id
"""
# Accounts of which the balance is not what their bookings come to.
DISAGREE = """
SELECT count(*) FROM flights_account AS account WHERE balance_cents <>
    (SELECT coalesce(sum(cents), 0) FROM flights_booking WHERE payee_id = account.id)
    - (SELECT coalesce(sum(cents), 0) FROM flights_booking WHERE payer_id = account.id)
"""
# What was kept before is moved aside each time: the disk would be full of it.
BEGIN = """
import shutil
from django.conf import settings
from django.core.management import call_command
call_command("begin", {!r})
for aside in settings.POSTGRES_FOLDER.glob("*.until.*"):
    shutil.rmtree(aside)
"""
SUM = "SELECT count(*), sum(hashtextextended(each::text, 0)::numeric)::text FROM flights_booking AS each"
PATIENCE_SECONDS = 60  # on a busy machine; tells "done" from "hung"


@contextmanager
def connect(stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    """Connect until the end of the block; each statement is committed by itself.

    Raises:
        ExperimentError: the database refuses something. What a reader wrote may have changed anything.
    """
    try:
        with psycopg.connect(stack.services["postgres"], autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise ExperimentError(f"the database refused: {error}".splitlines()[0]) from error


def begin(stack: Stack, variant: str) -> str:
    """Put the way in force, with an empty ledger and nothing kept; return the folder of what it keeps."""
    with connect(stack) as connection:
        connection.execute(
            "ALTER SYSTEM RESET synchronous_standby_names"
        )  # of one that was cut off
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(EMPTY)
    said = stack.manage("shell", "--no-imports", "-c", BEGIN.format(variant), of="keeper")
    return str(json.loads(said.splitlines()[-1])["says"]).split()[-1]


def book(connection: psycopg.Connection[Any], first: int, last: int) -> None:
    """Book the numbers from `first` to `last`, all in one transaction."""
    connection.execute(BOOK.encode(), (first, last))


def number(connection: psycopg.Connection[Any], query: str) -> int:
    """Return the one number that `query` answers."""
    row = connection.execute(query.encode()).fetchone()
    if row is None:
        raise ExperimentError(f"no row from: {query}")
    return int(row[0])


# What the pieces of a night are called, for code that runs where the keeper runs.
NIGHT = """
from flights.configured import place
from flights.keeping import alone, checked, kept, read
from flights.reporting import tried
name = read("wanted")
folder = place(name).folder
def made():
    with alone(): return tried(kept, name).good
def good():
    with alone(): return tried(checked, name).good
"""


def at_the_keeper(stack: Stack, code: str) -> list[str]:
    """Run Python where the keeper runs, and return the lines it prints.

    `folder` is where the way in force keeps its backups; `made()` and `good()` are the two halves of a night.
    """
    return stack.manage("shell", "--no-imports", "-c", NIGHT + code, of="keeper").splitlines()


def keep(stack: Stack, variant: str) -> bool:
    """Have the backup of a night made; return whether it is said to be made."""
    return bool(reported(stack, "keep", variant)["good"])


def night(stack: Stack, *, before: str = "", between: str = "") -> bool:
    """Return whether the backup of a night is made and said to be good; `between` runs in its middle."""
    said = at_the_keeper(stack, f"{before}\nkept_it = made()\n{between}\nprint(kept_it and good())")
    return said[-1] == "True"


def restored(
    stack: Stack, variant: str, *queries: str, to: str = "", into: str = ""
) -> list[list[list[Any]]] | None:
    """Restore up to a moment, and return the rows of each query; None if no server comes of it."""
    asked = [word for query in queries for word in ("--sql", query)]
    asked += [
        word for name, value in (("--to", to), ("--into", into)) if value for word in (name, value)
    ]
    report = reported(stack, "restore", variant, *asked)
    return report["found"] if report["good"] else None


def reported(stack: Stack, command: str, variant: str, *more: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(
        stack.manage(command, variant, "--report", *more, of="keeper").splitlines()[-1]
    )
    return said


def bookings(stack: Stack, variant: str, count: int) -> tuple[list[Request], list[str]]:
    """Return requests to book, each of another amount between two other accounts, and their references."""
    references = [uuid.uuid4().hex for _ in range(count)]
    url = f"{stack.url}/api/{variant}/bookings/"
    return [
        Request(url, {"Content-Type": "application/json"}, "POST", body(reference, number))
        for number, reference in enumerate(references)
    ], references


def body(reference: str, number: int) -> bytes:
    payer, step = number % 100 + 1, number // 100 % 99 + 1
    payee = (payer - 1 + step) % 100 + 1
    said = {"reference": reference, "payer": payer, "payee": payee, "cents": number % 997 + 1}
    return json.dumps(said).encode()


def only_column(rows: Sequence[Sequence[Any]]) -> set[Any]:
    return {row[0] for row in rows}
