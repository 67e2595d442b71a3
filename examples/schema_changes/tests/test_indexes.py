"""What a failed build leaves: found, told and mended."""

import threading
import time

import psycopg
import pytest
from changes.indexes import Failed, UnderWay, build, failed
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
    monkeypatch.setattr("changes.indexes.STATE", "SELECT false, %s IS NOT NULL")

    with pytest.raises(UnderWay, match="twice_n is being built by somebody else"):
        build(outside, "twice_n", "twice", COLUMNS)


@pytest.mark.usefixtures("left")
def test_release_and_api_tell_of_a_failed_build(client, capfd):
    call_command("check", tags=["services"])

    assert "twice_n of twice is not valid: a concurrent build failed" in "".join(capfd.readouterr())
    assert client.get("/api/").json()["failed_builds"] == [{"table": "twice", "name": "twice_n"}]
