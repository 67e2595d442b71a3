"""The list as PostgreSQL has it, read by a connection of its own: a request's is not for threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString, Self

import psycopg
from shield.follower import SourceDown
from shield.replica import Change, Replica
from shield.run import Run
from shield.snapshot import Document, Snapshot

SQL = Path(__file__).with_name("sql")
EVERYTHING: LiteralString = (SQL / "everything.sql").read_text()
CHECKSUM: LiteralString = (SQL / "checksum.sql").read_text()
OPTIONS = "-c statement_timeout=20s"
ROWS = 5_000
NO_NETWORKS = Run.of(())  # those of feeds are fetched by who needs them
KEEPER_LOCK = 7240  # the next after that of schema.sql
BITS = 2**64 - 1  # PostgreSQL's numbers are signed


class PostgresTruth:
    """Implements `shield.follower.Truth`; for one thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None
        self._leading: psycopg.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def changes(self, after: int, most: int) -> list[Change]:
        query = "SELECT seq, after FROM bans_change WHERE seq > %s ORDER BY seq LIMIT %s"
        with self._cursor() as cursor:
            return [Change(*row) for row in cursor.execute(query, [after, most])]

    def everything(self) -> Snapshot:
        with self._cursor() as cursor, self._open().transaction():
            # Everything is read as of one moment, or it would be no state that there ever was.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            found = Replica(
                lambda _: NO_NETWORKS,
                epoch=self._one(cursor, "SELECT id::text FROM bans_epoch"),
                seq=self._one(cursor, "SELECT coalesce(max(seq), 0) FROM bans_change"),
            )
            for (document,) in cursor.execute("SELECT bans_document(feed) FROM bans_feed AS feed"):
                found.feed(document)
            # A cursor with a name stays in the database, which sends some rows at a time.
            with self._open().cursor("bans") as bans:
                bans.itersize = ROWS
                for (document,) in bans.execute(EVERYTHING):
                    found.ban(document)
            return found.snapshot()

    def epoch(self) -> str:
        with self._cursor() as cursor:
            return str(self._one(cursor, "SELECT id::text FROM bans_epoch"))

    def lead(self) -> bool:
        """Be the one keeper, or tell whether another one is; the lock ends with the connection."""
        with self._cursor() as cursor:
            if self._leading is not self._connection:
                leads = self._one(cursor, f"SELECT pg_try_advisory_lock({KEEPER_LOCK})")
                self._leading = self._connection if leads else None
        return self._leading is not None

    def checksum(self) -> tuple[int, int]:
        with self._cursor() as cursor:
            row = cursor.execute(CHECKSUM).fetchone()
            return (row[0], row[1] & BITS) if row else (0, 0)

    def run(self, document: Document) -> bytes | None:
        """Return the run of a feed; None if there is a later version by now."""
        with self._cursor() as cursor:
            query = "SELECT run FROM bans_feed WHERE name = %s AND digest = %s"
            row = cursor.execute(
                query, [document["name"], document["digest"]], binary=True
            ).fetchone()
        return None if row is None else bytes(row[0])

    @staticmethod
    def _one(cursor: psycopg.Cursor[Any], query: LiteralString) -> Any:
        row = cursor.execute(query).fetchone()
        return None if row is None else row[0]

    def _open(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=2, options=OPTIONS
            )
        return self._connection

    @contextmanager
    def _cursor(self) -> Iterator[psycopg.Cursor[Any]]:
        try:
            with self._open().cursor() as cursor:
                yield cursor
        except psycopg.Error as error:
            self.close()
            raise SourceDown(f"PostgreSQL: {error}") from error
