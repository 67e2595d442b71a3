"""The reader's own way: its steps as migrations, and a change that is killed before it ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HANGS = """
import django; django.setup()
from django.db import connection
connection.cursor().execute("SELECT 'of a reader', pg_sleep(3600)")
"""
RUNS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE state = 'active' AND query LIKE 'SELECT ''of a reader''%'"
)


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


def test_change_that_is_killed_leaves_no_statement_on_the_server(outside):
    with outside.cursor() as cursor:

        def until_there_are(statements):
            deadline = time.monotonic() + 60
            cursor.execute(RUNS)
            while cursor.fetchone() != (statements,):
                assert time.monotonic() < deadline
                time.sleep(0.1)
                cursor.execute(RUNS)

        with subprocess.Popen([sys.executable, "-c", HANGS], cwd=ROOT) as hangs:
            until_there_are(1)
            hangs.kill()

        until_there_are(0)
