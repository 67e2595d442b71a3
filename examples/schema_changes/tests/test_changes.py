"""Backfill, patience and rehearsal, each on the server and none of them lucky."""

import threading
import time
from contextlib import contextmanager
from itertools import islice

import psycopg
import pytest
from changes import backfill as filling
from changes.backfill import backfill
from changes.fingerprint import fingerprint
from changes.not_null import allow_null, forbid_null
from changes.patience import GaveUp, Patiently, patiently
from changes.rehearsal import migrate, rehearse
from django.db import OperationalError, connection, transaction
from django.db.migrations import RunPython
from django.db.migrations.state import ProjectState
from flights.delays import begin
from flights.expand_contract import steps, synced
from flights.variants import BY_NAME
from psycopg import sql

TABLE = "scratch"


def fill():
    return backfill(connection, TABLE, "minutes", sql.Identifier("late"), key="flight_id")


@pytest.fixture
def scratch(db):  # noqa: ARG001 -- set up before
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {TABLE} (flight_id bigint PRIMARY KEY, late smallint, minutes smallint)"
        )
        cursor.execute(
            f"INSERT INTO {TABLE} SELECT n * 3, abs(n) FROM generate_series(-5, 94) AS n"
        )
        yield cursor


def count(cursor, condition):
    cursor.execute(f"SELECT count(*) FROM {TABLE} WHERE {condition}")
    return cursor.fetchone()[0]


def test_backfill_fills_every_row_in_batches(scratch, monkeypatch):
    monkeypatch.setattr(filling, "BATCH_ROWS", 30)

    assert list(islice(fill(), 9)) == [30, 30, 30, 10, 0]  # one that never ends is cut off
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


@pytest.mark.report(
    "sbdchd/squawk#250",
    "`NOT VALID` and `VALIDATE` in one transaction: the first lock is held while the table is read",
    "each statement is a transaction of its own",
)
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


@pytest.mark.report(
    "PrairieLearn/PrairieLearn#11357",
    "the steps to NOT NULL in one transaction: the lock of the first is held until the last",
    "a migration that is atomic is refused before its first patient statement",
)
@pytest.mark.report(
    "PostHog/posthog#68853",
    "a backfill in batches within an atomic migration: each row stays locked until the last batch",
    "a batch is refused within another transaction",
)
@pytest.mark.usefixtures("scratch")
@pytest.mark.parametrize(
    "operation",
    [
        Patiently(f"ALTER TABLE {TABLE} ADD gate text"),
        RunPython(lambda _apps, _editor: list(fill())),
    ],
)
def test_migration_that_is_atomic_is_refused(operation):
    with connection.schema_editor() as editor, pytest.raises(RuntimeError, match="durable atomic"):
        operation.database_forwards("flights", editor, ProjectState(), ProjectState())


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
def shared(outside):
    """A table that other connections see, and a connection without a transaction around it."""
    with outside.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE shared AS"
            " SELECT n AS id, n AS late, NULL::int AS minutes FROM generate_series(1, 10) AS n"
        )
        # Who waits where nobody should wait is told, and does not hang.
        cursor.execute("SET statement_timeout = '60s'")
        yield outside
        cursor.execute("RESET statement_timeout")
        cursor.execute("DROP TABLE shared")


@contextmanager
def held(mine, statement="SELECT FROM shared"):
    """Hold what `statement` locks in a transaction of another connection; yield what ends it."""
    settings = mine.get_connection_params()
    keys = ("dbname", "user", "password", "host", "port")
    with psycopg.connect(**{key: settings[key] for key in keys}) as other:
        other.execute(statement)
        yield other


ADD = "ALTER TABLE shared ADD COLUMN IF NOT EXISTS gate text"


def test_patience_gives_up_and_changes_nothing(shared, monkeypatch):
    monkeypatch.setattr("changes.patience.PAUSE_SECONDS", 0)

    with held(shared), pytest.raises(GaveUp, match="20 ms, 3 times"):
        patiently(shared, ADD, lock_timeout_ms=20, attempts=3)


def test_patience_succeeds_once_the_other_is_done(shared, monkeypatch):
    monkeypatch.setattr("changes.patience.PAUSE_SECONDS", 0)
    attempts = []

    def change():
        attempts.append(patiently(shared, ADD, lock_timeout_ms=20, attempts=10_000))
        shared.close()  # that of this thread

    with held(shared) as other:
        job = threading.Thread(target=change)
        job.start()
        while not other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()[0]:
            pass
        other.rollback()
        job.join()

    assert attempts[0] >= 1
    assert patiently(shared, ADD, attempts=1) == 1


@pytest.mark.report(
    "pgbouncer/pgbouncer#396",
    "a restored dump sets `search_path` on a connection of the pooler: others no longer find their tables",
    "each statement sets its timeout for its own transaction",
)
def test_no_setting_outlives_its_transaction(shared):
    patiently(shared, ADD)

    with shared.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def test_what_is_no_lock_is_an_error_at_once(shared):
    with pytest.raises(Exception, match="does not exist"):
        patiently(shared, "ALTER TABLE nothing ADD COLUMN gate text")
    with pytest.raises(OperationalError, match="statement timeout"):
        patiently(shared, "SET LOCAL statement_timeout = 20; SELECT pg_sleep(60)", attempts=1)


VACUUMED = (
    "FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query LIKE '%.shared%'"
)
# So slow that it takes minutes, and due at once.
SLOWLY = (
    "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,"
    " autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0"
)


@pytest.mark.report(
    "reorg/pg_repack#167",
    "an autovacuum runs: whoever gives up before it is cancelled gets no lock until it has ended",
    "a statement has it cancelled after half of its timeout, where its role may say so",
)
def test_autovacuum_lets_a_patient_statement_pass(shared):
    with shared.cursor() as cursor:
        cursor.execute(f"ALTER TABLE shared SET ({SLOWLY})")
        cursor.execute("INSERT INTO shared SELECT n, n FROM generate_series(11, 20000) AS n")
        cursor.execute("DELETE FROM shared WHERE id % 2 = 0")
        cursor.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
        cursor.execute("SELECT pg_reload_conf()")
        try:
            assert waited_until(cursor.cursor, f"EXISTS (SELECT {VACUUMED})")
            assert patiently(shared, ADD, attempts=2) <= 2
        finally:
            cursor.execute("ALTER SYSTEM RESET autovacuum_naptime")
            cursor.execute("SELECT pg_reload_conf()")


def test_statement_that_meets_a_deadlock_is_tried_again(shared, monkeypatch):
    monkeypatch.setattr("changes.patience.PAUSE_SECONDS", 0)
    attempts = []
    both = "LOCK TABLE shared; LOCK TABLE flights_flight"

    def change():
        attempts.append(patiently(shared, both, lock_timeout_ms=1_000))
        shared.close()  # that of this thread

    patient = "SET LOCAL deadlock_timeout = '60s'; SELECT FROM flights_flight LIMIT 1"
    with held(shared, patient) as other:
        job = threading.Thread(target=change)
        job.start()
        assert waited_until(other, "EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        other.execute("SELECT FROM shared")  # each waits for the other
        other.rollback()
        job.join()

    assert max(attempts, default=0) >= 2


def fill_shared(mine):
    return backfill(mine, "shared", "minutes", sql.Identifier("late"), key="id")


@pytest.mark.report(
    "tarkovtracker-org/TarkovTracker#657",
    "a backfill of one transaction keeps its rows for half an hour, and every client's write waits",
    "a row that is held is left for another pass; its batch is committed at once",
)
def test_row_that_somebody_holds_keeps_no_other_waiting(shared, monkeypatch):
    monkeypatch.setattr(filling, "PAUSE_SECONDS", 0)
    with held(shared, "UPDATE shared SET late = 70 WHERE id = 3") as other:
        batches = fill_shared(shared)
        assert next(batches) == 9
        other.execute("UPDATE shared SET late = 40 WHERE id = 4")  # waits for nobody
        other.commit()

    assert sum(batches) == 1
    with shared.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shared WHERE minutes IS NULL")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT minutes FROM shared WHERE id = 3")
        assert cursor.fetchone() == (70,)


REFER = "INSERT INTO refers SELECT max(id) FROM shared"


@pytest.mark.report(
    "xataio/pgroll#150",
    "a backfill locks its rows `FOR UPDATE`: an insert that refers to one of them waits for the batch",
    "`FOR NO KEY UPDATE`: who refers to a row and who fills it do not meet",
)
def test_row_that_others_refer_to_is_no_row_that_they_hold(shared, monkeypatch):
    monkeypatch.setattr(filling, "PASSES", 1)
    with shared.cursor() as cursor:
        cursor.execute("ALTER TABLE shared ADD PRIMARY KEY (id)")
        cursor.execute("CREATE TABLE refers (id int REFERENCES shared)")
        try:
            with held(shared, REFER):
                assert sum(fill_shared(shared)) == 10
        finally:
            cursor.execute("DROP TABLE refers")


@pytest.mark.report(
    "vm0-ai/vm0#26972",
    "a backfill that holds rows and waits for others can deadlock with the application",
    "the backfill waits for no row; it says how many were held if they always are",
)
def test_rows_that_are_always_held_are_told(shared, monkeypatch):
    monkeypatch.setattr(filling, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(filling, "PASSES", 3)

    with (
        held(shared, "UPDATE shared SET late = 70 WHERE id IN (3, 4)"),
        pytest.raises(filling.RowsHeld, match="2 rows of shared were locked by others 3 times"),
    ):
        list(fill_shared(shared))


@pytest.mark.report(
    "doctolib/safe-pg-migrations#35",
    "a `SET`, its statement and its reset run on three connections of a pooler: one is left changed",
    "the migration back tells the trigger within each batch's transaction",
)
def test_way_back_silences_the_trigger_for_its_own_batches_alone(outside):
    begin(outside, "expand_contract")
    migrate(outside, "expand_contract", "0003_backfill")
    with outside.cursor() as cursor:
        batches = synced.emptied(outside, steps.TABLE)
        assert next(batches) == filling.BATCH_ROWS
        cursor.execute("SELECT coalesce(current_setting('expand_contract.quiet', true), '')")
        assert cursor.fetchone() == ("",)

        for _ in batches:
            pass

        cursor.execute(
            "SELECT count(*), count(late), count(delay_minutes) FROM expand_contract_delay"
        )
        assert cursor.fetchone() == (78_044, 78_044, 0)
    begin(outside, "expand_contract")  # it is recorded as filled, and is not


def test_column_that_is_removed_and_added_again_has_lost_its_rows(outside):
    begin(outside, "in_place")

    rename, remove = rehearse(outside, "in_place", "in_place_delay")

    assert (rename.back, rename.again, rename.lost) == ("", "", 0)
    assert (remove.back, remove.lost) == ("rows", 78_044)


@pytest.mark.parametrize(("way", "waits"), [("in_place", True), ("expand_contract", False)])
def test_one_row_that_is_kept_holds_up_one_way_alone(outside, monkeypatch, way, waits):
    monkeypatch.setattr(filling, "PAUSE_SECONDS", 0.1)
    with outside.cursor() as cursor:
        cursor.execute("CREATE TABLE busy AS SELECT *, NULL::int AS minutes FROM flights_flight")
        cursor.execute("ALTER TABLE busy ADD PRIMARY KEY (id)")

    def change():
        BY_NAME[way].changes["backfill"](outside, "busy")
        outside.close()  # that of this thread

    try:
        with held(outside, "UPDATE busy SET number = number WHERE id = 40000") as other:
            job = threading.Thread(target=change)
            job.start()
            assert waited_until(other, f"EXISTS (SELECT {WAITING if waits else FILLED})")
            assert not other.execute(f"SELECT {FILLED if waits else WAITING}").fetchone()
            other.commit()
            job.join(120)
        with outside.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM busy WHERE minutes IS DISTINCT FROM departure_delay"
            )
            assert cursor.fetchone() == (0,)
    finally:
        with outside.cursor() as cursor:
            cursor.execute("DROP TABLE busy")


WAITING = "1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
# All but the row that is kept: none of its batch waits with it.
FILLED = "1 FROM busy WHERE id BETWEEN 39000 AND 41000 HAVING count(minutes) > 1900"


def waited_until(other, condition):
    deadline = time.monotonic() + 120
    while not other.execute(f"SELECT {condition}").fetchone()[0]:
        if time.monotonic() > deadline:
            return False
    return True
