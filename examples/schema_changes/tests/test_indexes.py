"""What a failed build leaves: found, told and mended."""

import threading
import time

import psycopg
import pytest
from changes.indexes import Differs, Failed, UnderWay, build, failed
from django.core.management import call_command
from django.db import IntegrityError

COLUMNS = "(n)"


@pytest.fixture
def cursor(outside):
    with outside.cursor() as cursor:
        cursor.execute("CREATE TABLE twice AS SELECT 1 AS n FROM generate_series(1, 2)")
        yield cursor
    with outside.cursor() as cursor:  # a test may have closed the connection
        cursor.execute("DROP TABLE twice")


@pytest.fixture
def left(cursor):
    with pytest.raises(IntegrityError):
        cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY twice_n ON twice (n)")
    return Failed("twice", "twice_n")


def test_index_is_built_once(outside, cursor):
    assert build(outside, "twice_n", "twice", COLUMNS) == "built"
    assert build(outside, "twice_n", "twice", COLUMNS) == "there"
    assert failed(cursor) == []


def test_index_of_a_build_that_failed_is_built_again(outside, cursor, left):
    assert failed(cursor) == [left]
    assert build(outside, "twice_n", "twice", COLUMNS) == "built again"
    assert failed(cursor) == []


@pytest.mark.report(
    "tbicr/django-pg-zero-downtime-migrations#86",
    "a name with a capital letter is looked up without its quotation marks, and is not found",
    "a name is quoted wherever it is looked up: a failed build of `Twice_N` is built again",
)
def test_name_with_a_capital_letter_is_found(outside, cursor):
    with pytest.raises(IntegrityError):
        cursor.execute('CREATE UNIQUE INDEX CONCURRENTLY "Twice_N" ON twice (n)')

    assert build(outside, "Twice_N", "twice", COLUMNS) == "built again"
    assert build(outside, "Twice_N", "twice", COLUMNS) == "there"


@pytest.mark.report(
    "doctolib/safe-pg-migrations#66",
    "an index of the same name over other columns is taken for the one that is asked for",
    "the definition is compared as PostgreSQL writes it down, and the build is refused",
)
@pytest.mark.usefixtures("cursor")
@pytest.mark.parametrize("columns", ["(n DESC)", "((n + 1))", "(n) WHERE n > 0"])
def test_index_of_the_name_for_something_else_is_refused(outside, columns):
    build(outside, "twice_n", "twice", columns)

    assert build(outside, "twice_n", "twice", columns) == "there"
    with pytest.raises(Differs, match="twice_n is there for something else: CREATE INDEX"):
        build(outside, "twice_n", "twice", COLUMNS)


@pytest.mark.report(
    "supabase/splinter#179",
    "the index of a partitioned table is not valid until each partition has one: a false alarm",
    "a partitioned table's index is never built concurrently, and is not reported",
)
def test_index_that_waits_for_its_partitions_has_not_failed(cursor):
    cursor.execute("CREATE TABLE parted (n int) PARTITION BY RANGE (n)")
    cursor.execute("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (9)")
    try:
        cursor.execute("CREATE INDEX parted_n ON ONLY parted (n)")
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'parted_n'::regclass")
        assert cursor.fetchone() == (False,)
        assert failed(cursor) == []
    finally:
        cursor.execute("DROP TABLE parted")


WAITS = "SELECT FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for writers%'"


def test_build_outlasts_the_timeout_of_its_role_and_puts_it_back(outside, cursor):
    cursor.execute("ALTER ROLE CURRENT_USER SET lock_timeout = '100ms'")
    outside.close()
    keys = ("dbname", "user", "password", "host", "port")
    address = {key: outside.get_connection_params()[key] for key in keys}
    seen = []
    with psycopg.connect(**address) as writer, psycopg.connect(**address, autocommit=True) as other:
        writer.execute("INSERT INTO twice VALUES (3)")

        def release():
            deadline = time.monotonic() + 120
            while other.execute(WAITS).fetchone() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.3)  # longer than the timeout
            seen.extend(failed(other.cursor()))
            writer.rollback()

        job = threading.Thread(target=release)
        job.start()
        try:
            assert build(outside, "twice_n", "twice", COLUMNS) == "built"
        finally:
            job.join()
            other.execute("ALTER ROLE CURRENT_USER RESET lock_timeout")
    assert seen == []  # one that is being built has not failed

    with outside.cursor() as again:
        again.execute("SHOW lock_timeout")
        assert again.fetchone() == ("100ms",)
    outside.close()


def test_build_of_somebody_else_is_left_alone(outside, monkeypatch, left):  # noqa: ARG001 -- set up before
    state = "SELECT false, true, pg_get_indexdef(%s::regclass)"
    monkeypatch.setattr("changes.indexes.STATE", state)

    with pytest.raises(UnderWay, match="twice_n is being built by somebody else"):
        build(outside, "twice_n", "twice", COLUMNS)


@pytest.mark.usefixtures("left")
def test_release_and_api_tell_of_a_failed_build(client, capfd):
    call_command("check", tags=["services"])

    assert "twice_n of twice is not valid: a concurrent build failed" in "".join(capfd.readouterr())
    assert client.get("/api/").json()["failed_builds"] == [{"table": "twice", "name": "twice_n"}]
