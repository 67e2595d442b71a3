"""Backfill, patience and rehearsal, each on the server and none of them lucky."""

import threading
from contextlib import contextmanager

import psycopg
import pytest
from changes import backfill as filling
from changes.backfill import backfill
from changes.fingerprint import fingerprint
from changes.not_null import allow_null, forbid_null
from changes.patience import GaveUp, Patiently, patiently
from django.db import connection, connections, transaction
from psycopg import sql

TABLE = "scratch"


def fill():
    return backfill(connection, TABLE, "minutes", sql.Identifier("late"), key="flight_id")


@pytest.fixture
def scratch(flights):
    flights.execute(
        f"CREATE TABLE {TABLE} (flight_id bigint PRIMARY KEY, late smallint, minutes smallint)"
    )
    flights.execute(f"INSERT INTO {TABLE} SELECT n * 3, abs(n) FROM generate_series(-5, 94) AS n")
    return flights


def count(cursor, condition):
    cursor.execute(f"SELECT count(*) FROM {TABLE} WHERE {condition}")
    return cursor.fetchone()[0]


def test_backfill_fills_every_row_in_batches(scratch, monkeypatch):
    monkeypatch.setattr(filling, "BATCH_ROWS", 30)

    assert list(fill()) == [30, 30, 30, 10, 0]
    assert count(scratch, "minutes IS DISTINCT FROM late") == 0


def test_backfill_that_was_cut_off_goes_on_and_does_no_row_twice(scratch, monkeypatch):
    monkeypatch.setattr(filling, "BATCH_ROWS", 30)
    cut_off = fill()
    done = next(cut_off) + next(cut_off)

    assert sum(fill()) == 100 - done
    assert count(scratch, "minutes IS DISTINCT FROM late") == 0


def test_backfill_leaves_what_new_code_has_written(scratch):
    scratch.execute(f"UPDATE {TABLE} SET minutes = 999 WHERE flight_id = 3")

    assert sum(fill()) == 99
    assert count(scratch, "minutes = 999") == 1


def test_null_is_forbidden_in_steps_that_may_begin_again(scratch):
    before = fingerprint(scratch, TABLE)
    steps = forbid_null(TABLE, "late")
    for begun in range(len(steps)):
        for step in steps[:begun]:
            scratch.execute(step)
        for step in steps:
            scratch.execute(step)
        with pytest.raises(Exception, match="null value"), transaction.atomic():
            scratch.execute(f"INSERT INTO {TABLE} (flight_id) VALUES (1000)")

        scratch.execute(allow_null(TABLE, "late"))
        assert fingerprint(scratch, TABLE) == before


def test_patience_is_not_for_a_transaction(scratch):  # noqa: ARG001 -- set up before
    operation = Patiently(f"ALTER TABLE {TABLE} ADD gate text")

    with connection.schema_editor() as editor, pytest.raises(TypeError, match="atomic = False"):
        operation.database_forwards("flights", editor, None, None)


@pytest.mark.parametrize(
    "change",
    [
        f"UPDATE {TABLE} SET late = 7 WHERE flight_id = 3",
        f"DELETE FROM {TABLE} WHERE flight_id = 3",
        f"ALTER TABLE {TABLE} ALTER late SET NOT NULL",
        f"ALTER TABLE {TABLE} ALTER late SET DEFAULT 1",
        f"ALTER TABLE {TABLE} ADD CHECK (late > -1) NOT VALID",
        f"CREATE INDEX ON {TABLE} (late)",
    ],
)
def test_fingerprint_sees(scratch, change):
    before = fingerprint(scratch, TABLE)
    scratch.execute(change)

    assert fingerprint(scratch, TABLE) != before


def test_fingerprint_does_not_mind_where_a_column_stands(scratch):
    before = fingerprint(scratch, TABLE)
    scratch.execute(f"ALTER TABLE {TABLE} DROP minutes")
    scratch.execute(f"ALTER TABLE {TABLE} ADD minutes smallint")

    assert fingerprint(scratch, TABLE) == before


@pytest.fixture
def shared(loaded, django_db_blocker):  # noqa: ARG001 -- set up before
    """A table that other connections see, and a connection without a transaction around it."""
    with django_db_blocker.unblock():
        mine = connections["default"].copy()
        with mine.cursor() as cursor:
            cursor.execute("CREATE TABLE shared (id int)")
            yield mine
            cursor.execute("DROP TABLE shared")
        mine.close()


@contextmanager
def held(mine):
    """Hold a lock on the table in a transaction of another connection; yield what ends it."""
    settings = mine.get_connection_params()
    keys = ("dbname", "user", "password", "host", "port")
    with psycopg.connect(**{key: settings[key] for key in keys}) as other:
        other.execute("SELECT FROM shared")
        yield other


ADD = "ALTER TABLE shared ADD COLUMN IF NOT EXISTS gate text"


def test_patience_gives_up_and_changes_nothing(shared, monkeypatch):
    monkeypatch.setattr("changes.patience.PAUSE_SECONDS", 0)

    with held(shared), pytest.raises(GaveUp, match="20 ms, 3 times"):
        patiently(shared, ADD, lock_timeout_ms=20, attempts=3)


def test_patience_succeeds_once_the_other_is_done(shared, monkeypatch):
    monkeypatch.setattr("changes.patience.PAUSE_SECONDS", 0)
    attempts = []
    with held(shared) as other:
        job = threading.Thread(
            target=lambda: attempts.append(
                patiently(shared, ADD, lock_timeout_ms=20, attempts=10_000)
            )
        )
        shared.inc_thread_sharing()
        job.start()
        while not other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()[0]:
            pass
        other.rollback()
        job.join()

    assert attempts[0] >= 1
    assert patiently(shared, ADD) == 1
    with shared.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def test_what_is_no_lock_is_an_error_at_once(shared):
    with pytest.raises(Exception, match="does not exist"):
        patiently(shared, "ALTER TABLE nothing ADD COLUMN gate text")
