"""The reader's own way: its steps as migrations, and a change of theirs that does not end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HANGS = """
import manage, os, psycopg
manage.GIVEN_UP_SECONDS = 1
manage.bounded()
psycopg.connect(os.environ["DATABASE_URL"]).execute("SELECT 'of a reader', pg_sleep(120)")
"""
RUNS = "state = 'active' AND query LIKE 'SELECT ''of a reader''%'"
STILL_RUNS = f"SELECT pid FROM pg_stat_activity WHERE {RUNS}"


def python(*args):
    return subprocess.run(
        [sys.executable, *args],
        cwd=ROOT,
        env={**os.environ, "MINE": "exercises.mine"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("loaded")
def test_each_step_of_a_reader_is_a_migration_and_the_others_are_empty():
    written = [python("manage.py", "sqlmigrate", "mine", f"{n:04}") for n in range(2, 7)]

    assert [each.returncode for each in written] == [0] * 5
    assert 'RENAME COLUMN "late" TO "delay_minutes"' in written[0].stdout
    assert 'DROP COLUMN "cause"' in written[1].stdout
    assert not any("ALTER TABLE" in each.stdout for each in written[2:])


def test_change_that_does_not_end_is_given_up_and_its_statement_with_it(outside):
    done = python("-c", HANGS)

    assert (done.returncode, done.stderr) == (1, "It was given up after 1 s.\n")
    deadline = time.monotonic() + 60
    with outside.cursor() as cursor:
        cursor.execute(STILL_RUNS)
        while cursor.fetchall():
            assert time.monotonic() < deadline
            time.sleep(0.1)
            cursor.execute(STILL_RUNS)
