"""The claims of this example, and what they share: clients that book, and hands on the server and its backups.

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

CLAIMS = ("every-acknowledged-booking-comes-back",)
BEGINS_AS = "nightly_dump"  # exercises/mine.py, where a reader begins

REFERENCES = "SELECT reference FROM flights_booking"
EMPTY = "TRUNCATE flights_booking; UPDATE flights_account SET balance_cents = 0"


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


def begin(stack: Stack, variant: str) -> None:
    """Put the way in force, with an empty ledger and nothing kept."""
    with connect(stack) as connection:
        connection.execute(
            "ALTER SYSTEM RESET synchronous_standby_names"
        )  # of one that was cut off
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(EMPTY)
    stack.manage("begin", variant, of="keeper")


def keep(stack: Stack, variant: str) -> bool:
    """Have the backup of a night made; return whether it is said to be made."""
    return bool(reported(stack, "keep", variant)["good"])


def tonight(stack: Stack, variant: str) -> bool:
    """Return whether the way says of its backups that they are good."""
    return bool(reported(stack, "tonight", variant)["good"])


def restored(
    stack: Stack, variant: str, *queries: str, to: str = ""
) -> list[list[list[Any]]] | None:
    """Restore up to a moment, and return the rows of each query; None if no server comes of it."""
    asked = [word for query in queries for word in ("--sql", query)]
    report = reported(stack, "restore", variant, *(["--to", to] if to else []), *asked)
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
