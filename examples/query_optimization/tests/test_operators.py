"""What operators run, and what production has none of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from flights.management.commands.diagram import lines

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


def test_settings_of_production_have_no_warning():
    call_command("check", deploy=True, fail_level="WARNING", tags=["security"])


@pytest.mark.usefixtures("flights")
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_report_names_duplicate_indexes_and_keys_without_one(flights, capsys):
    flights.execute("SET CONSTRAINTS ALL IMMEDIATE")
    flights.execute("CREATE INDEX again ON flights_flight (airline_id)")
    flights.execute("DROP INDEX flight_destination")

    call_command("indexes")

    told = capsys.readouterr().out
    assert "duplicate" in next(line for line in told.splitlines() if " again " in line)
    (key,) = [line for line in told.splitlines() if "without an index" in line]
    assert "destination" in key


@pytest.mark.usefixtures("flights")
def test_every_foreign_key_has_an_index(capsys):
    call_command("indexes")

    assert "without an index" not in capsys.readouterr().out


def test_diagram_of_the_write_up_is_that_of_the_models():
    assert "\n".join(lines()) in (ROOT / "README.md").read_text("utf-8")
