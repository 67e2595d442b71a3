"""What a failed build leaves: found, told and mended."""

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


def test_timeout_of_the_session_is_back_after_a_build(outside, cursor):
    build(outside, "twice_n", "twice", COLUMNS)

    cursor.execute("SELECT setting = reset_val FROM pg_settings WHERE name = 'lock_timeout'")
    assert cursor.fetchone() == (True,)


def test_build_of_somebody_else_is_left_alone(outside, monkeypatch, left):  # noqa: ARG001 -- set up before
    monkeypatch.setattr("changes.indexes.STATE", "SELECT false, %s IS NOT NULL")

    with pytest.raises(UnderWay, match="twice_n is being built by somebody else"):
        build(outside, "twice_n", "twice", COLUMNS)


@pytest.mark.usefixtures("left")
def test_release_and_api_tell_of_a_failed_build(client, capfd):
    call_command("check", tags=["services"])

    assert "twice_n of twice is not valid: a concurrent build failed" in "".join(capfd.readouterr())
    assert client.get("/api/").json()["failed_builds"] == [{"table": "twice", "name": "twice_n"}]
