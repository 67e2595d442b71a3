"""Whether a restored server has what the live one had: rows and a checksum of each table, and the roles."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from keep.base import bases, first_segment, verify
from keep.log import folder as log_of
from keep.log import is_received, require_whole
from keep.place import Failed, Place, connect, wait_for
from psycopg import sql

from .replay import POINT, replayed
from .server import draft

CHECKSUM = Path(__file__).with_name("checksum.sql").read_text(encoding="utf-8")
# Not the unlogged ones: they come back empty from every base backup.
TABLES = """
SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND relpersistence = 'p' AND nspname <> 'information_schema' AND nspname !~ '^pg_'
ORDER BY 1, 2
"""
# An index over text has the order of a library: where that is of another version, rows are not found.
COLLATIONS = """
SELECT string_agg(name, ', ') FROM (
    SELECT datname AS name FROM pg_database WHERE datcollversion <> pg_database_collation_actual_version(oid)
    UNION ALL
    SELECT DISTINCT indrelid::regclass::text FROM pg_index CROSS JOIN unnest(indcollation) AS used
    JOIN pg_collation ON pg_collation.oid = used WHERE collversion <> pg_collation_actual_version(used)
) AS otherwise HAVING count(*) > 0
"""
# The text of a value depends on these, which may differ on both sides; a night takes as long as it takes.
PLAIN = (
    "SET TIME ZONE 'UTC'; SET datestyle = ISO; SET intervalstyle = postgres; SET extra_float_digits = 1;"
    "SET bytea_output = hex; SET lc_monetary = 'C'; SET statement_timeout = 0"
)
ROLES = "SELECT count(*), string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles"
RECEIVED_SECONDS = 60
ATTEMPTS = 20

type Contents = dict[str, tuple[int, str]]


def contents(connection: psycopg.Connection[Any]) -> Contents:
    """Return rows and checksum of each table, and of the roles."""
    connection.execute(PLAIN)
    tables = connection.execute(TABLES).fetchall()
    queries: dict[str, sql.SQL | sql.Composed] = {
        ".".join(name): sql.SQL(CHECKSUM).format(table=sql.Identifier(*name)) for name in tables
    }
    queries["roles"] = sql.SQL(ROLES)
    rows = {name: connection.execute(query).fetchone() for name, query in queries.items()}
    return {name: (row[0], row[1]) for name, row in rows.items() if row}


def pinned(place: Place) -> tuple[str, str, Contents]:
    """Name this moment in the log; return its name, its position, and what each table holds at it.

    For the moment itself nobody writes: log and snapshot have the same commits.
    """
    name = f"{POINT}{datetime.now(UTC):%Y-%m-%dT%H%M%S.%f}"
    with connect(place.server) as reader, connect(place.server) as holder:
        hold(holder)
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        row = reader.execute("SELECT pg_create_restore_point(%s)::text", [name]).fetchone()
        holder.execute("ROLLBACK")
        return name, row[0] if row else "", contents(reader)


def hold(connection: psycopg.Connection[Any]) -> None:
    """Lock all tables against writers; give way sooner than a deadlock would have a booking fail."""
    tables = [sql.Identifier(*each) for each in connection.execute(TABLES).fetchall()]
    connection.execute("SET statement_timeout = '500ms'; SET deadlock_timeout = '100ms'")
    for left in reversed(range(ATTEMPTS)):
        connection.execute("BEGIN")
        try:
            for table in tables:
                connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(table))
        except (psycopg.errors.QueryCanceled, psycopg.errors.DeadlockDetected):
            connection.execute("ROLLBACK")
            if not left:
                raise
        else:
            return


def proved(place: Place) -> str:
    """Restore the oldest base backup with all of its log, and compare it with the server as it was just now.

    The oldest: its log is all the log that is kept. The others are compared with their own checksums.

    Raises:
        Failed: something differs, or does not become a server.
    """
    kept = bases(place)
    for base in kept:
        verify(place, base)
    moment, position, live = pinned(place)
    missing = f"the log up to {position} was not received"
    wait_for(lambda: is_received(place, position), RECEIVED_SECONDS, missing)
    require_whole(log_of(place), first_segment(kept[0]))
    with (
        draft(place, place.folder / "proved") as folder,
        replayed(place, kept[0], log_of(place), folder, moment) as server,
        connect(server) as connection,
    ):
        restored = contents(connection)
        otherwise = connection.execute(COLLATIONS).fetchall()
    differ = sorted(name for name in live | restored if live.get(name) != restored.get(name))
    if differ:
        raise Failed(f"restored otherwise than they were: {', '.join(differ)}")
    if otherwise:
        raise Failed(f"text is sorted otherwise here than in the indexes of {otherwise[0][0]}")
    rows = [count for name, (count, _) in restored.items() if name != "roles"]
    return f"{len(rows)} tables with {sum(rows):,} rows restored as they were"
