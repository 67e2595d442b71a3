"""What operators run, and what production has none of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections
from flights.management.commands import top
from flights.management.commands.diagram import lines
from queries import naive, optimized

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(("debug", "there"), [("", "False"), ("1", "True")])
def test_toolbar_is_there_for_a_developer_and_nobody_else(debug, there):
    script = (
        "import django; django.setup(); from django.conf import settings;"
        "from django.urls import get_resolver;"
        "print('debug_toolbar' in settings.INSTALLED_APPS, any('toolbar' in m for m in settings.MIDDLEWARE),"
        " any('__debug__' in str(p.pattern) for p in get_resolver().url_patterns))"
    )
    env = {**os.environ, "DEBUG": debug, "DJANGO_SETTINGS_MODULE": "config.settings"}

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == [there] * 3


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POOL_SIZE", "many"),
        ("POOL_SIZE", "1"),  # fewer than there are processes
        ("POOL_TIMEOUT_SECONDS", "-1"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_REPLICAS", "nan"),
        ("DATABASE_URL", "mysql://localhost/flights"),
        ("REDIS_URL", "localhost"),
        ("DATABASE_URL", "postgres://user:secret@host:port/name"),
    ],
)
def test_mistake_in_the_environment_is_one_sentence(variable, value):
    env = {**os.environ, variable: value}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith(variable)
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr


def test_database_that_does_not_answer_is_one_sentence():
    env = {**os.environ, "DATABASE_URL": "postgres://nobody:secret@127.0.0.1:1/none"}

    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--tag", "services"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "DATABASE_URL: no PostgreSQL answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_settings_of_production_have_no_warning():
    call_command("check", deploy=True, fail_level="WARNING", tags=["security"])


@pytest.mark.usefixtures("flights")
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_report_names_duplicate_indexes_and_keys_without_one(flights, capsys):
    flights.execute("SET CONSTRAINTS ALL IMMEDIATE")
    flights.execute("CREATE INDEX again ON flights_flight (scheduled_departure DESC, id DESC)")
    flights.execute("DROP INDEX flight_destination")

    call_command("indexes")

    told = capsys.readouterr().out
    assert "duplicate" in next(line for line in told.splitlines() if " again " in line)
    (key,) = [line for line in told.splitlines() if "without an index" in line]
    assert "destination" in key


def test_report_names_the_index_of_a_build_that_failed(loaded, django_db_blocker, capsys):  # noqa: ARG001 -- set up before
    with django_db_blocker.unblock():
        mine = connections["default"].copy()
        with mine.cursor() as cursor:
            cursor.execute("CREATE TABLE twice AS SELECT 1 AS n FROM generate_series(1, 2)")
            try:
                with pytest.raises(IntegrityError):
                    cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY twice_n ON twice (n)")
                call_command("indexes")
            finally:
                cursor.execute("DROP TABLE twice")
        mine.close()

    (row,) = [line for line in capsys.readouterr().out.splitlines() if " twice_n " in line]
    assert "invalid" in row


@pytest.mark.usefixtures("flights")
def test_top_names_what_took_the_time(capsys):
    call_command("top", "--reset")
    optimized.count()
    list(naive.airports("kennedy", 7))

    call_command("top", "--most", "50")

    rows = capsys.readouterr().out.splitlines()
    (row,) = [each for each in rows if "flights_airport" in each]
    assert row.split()[0] == "1"
    assert "kennedy" not in row  # a parameter


def test_top_without_the_extension_is_one_sentence(flights, monkeypatch):  # noqa: ARG001 -- set up before
    class Missing:
        def read_text(self, _):
            return "SELECT FROM a_view_that_is_not_there LIMIT %s"

    monkeypatch.setattr(top, "SQL", Missing())

    with pytest.raises(CommandError, match="shared_preload_libraries=pg_stat_statements"):
        call_command("top")


@pytest.mark.usefixtures("flights")
def test_every_foreign_key_has_an_index(capsys):
    call_command("indexes")

    assert "without an index" not in capsys.readouterr().out


def test_diagram_of_the_write_up_is_that_of_the_models():
    assert "\n".join(lines()) in (ROOT / "README.md").read_text("utf-8")
