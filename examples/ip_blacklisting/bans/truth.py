"""The list as PostgreSQL has it, read by a connection of its own: a request's is not for threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from shield.replica import NO_FEEDS, Change, Replica
from shield.sources import SourceDown

EVERYTHING = "SELECT bans_document(ban) FROM bans_ban AS ban"
LAST = "SELECT seq, mark FROM bans_change ORDER BY seq DESC LIMIT 1"
FEEDS = "SELECT bans_document(feed) FROM bans_feed AS feed WHERE name = ''"
CHANGES = "SELECT seq, mark, previous, after FROM bans_change WHERE seq >= %s ORDER BY seq LIMIT %s"
ROWS = 5_000


class PostgresTruth:
    """Implements `shield.sources.Truth`; for one thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def changes(self, since: int, most: int) -> list[Change]:
        with self._cursor() as cursor:
            return [Change(*row) for row in cursor.execute(CHANGES, [since, most])]

    def everything(self) -> Replica:
        with self._cursor() as cursor, cursor.connection.transaction():
            # Everything is read as of one moment, or it would be no state that there ever was.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            seq, mark = cursor.execute(LAST).fetchone() or (0, "")
            (feeds,) = cursor.execute(FEEDS).fetchone() or (NO_FEEDS,)
            found = Replica(seq, mark, feeds)
            # A cursor with a name stays in the database, which sends some rows at a time.
            with cursor.connection.cursor("bans") as bans:
                bans.itersize = ROWS
                for (document,) in bans.execute(EVERYTHING):
                    found.take_ban(document)
            return found

    @contextmanager
    def _cursor(self) -> Iterator[psycopg.Cursor[Any]]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._url)
            with self._connection.cursor() as cursor:
                yield cursor
        except psycopg.Error as error:
            self.close()
            raise SourceDown(f"PostgreSQL: {error}") from error


def connect(url: str) -> psycopg.Connection:
    connection = psycopg.connect(url, autocommit=True, connect_timeout=2)
    # Not an option of the connection: it may have some of its own.
    connection.execute("SET statement_timeout = '20s'")
    return connection


def run_of(url: str, digest: str) -> bytes | None:
    """Return the run of all feeds; None if there is a later one by now.

    Raises:
        SourceDown: PostgreSQL does not answer.
    """
    try:
        with connect(url) as connection, connection.cursor() as cursor:
            query = "SELECT run FROM bans_feed WHERE name = '' AND md5(run) = %s"
            row = cursor.execute(query, [digest], binary=True).fetchone()
    except psycopg.Error as error:
        raise SourceDown(f"PostgreSQL: {error}") from error
    return None if row is None else bytes(row[0])
