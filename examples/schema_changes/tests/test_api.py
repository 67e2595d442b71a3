"""The service as its users and operators meet it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from changes.fingerprint import fingerprint
from django.core.management import CommandError, call_command
from flights.delays import begin
from flights.models import Flight
from flights.variants import VARIANTS

ROOT = Path(__file__).parent.parent


@pytest.mark.usefixtures("outside")
def test_flights_of_three_months_are_loaded_once(capsys):
    call_command("prepare")

    assert Flight.objects.count() == 80_687
    assert Flight.objects.filter(departure_delay=None).count() == 80_687 - 78_044
    assert "0 flights loaded" in capsys.readouterr().out


@pytest.mark.usefixtures("outside")
def test_every_variant_tells_its_table(client):
    variants = client.get("/api/").json()["variants"]

    assert [each["name"] for each in variants] == [each.name for each in VARIANTS]
    for each in variants:
        assert client.get(each["path"]).json()["columns"]


def test_table_that_is_not_there_is_told(client, outside):
    with outside.cursor() as cursor:
        cursor.execute("DROP TABLE if_not_exists_delay")

    answer = client.get("/api/if_not_exists/")
    begin(outside, "if_not_exists")

    assert (answer.status_code, "manage.py begin if_not_exists" in answer.json()["title"]) == (
        404,
        True,
    )
    assert client.get("/api/if_not_exists/").json()["columns"]


def test_path_that_leads_nowhere_says_where_to_look(client):
    for path in ("/api/nothing/", "/nothing"):
        answer = client.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/api/", "/api/in_place/"])
def test_nothing_can_be_written_by_http(client, path):
    for method in (client.post, client.put, client.patch, client.delete):
        assert method(path).status_code == 405


def test_process_tells_that_it_serves(client):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("table", ["nothing; DROP TABLE x", "1"])
def test_name_that_is_none_is_refused(table):
    with pytest.raises(CommandError, match="does not change"):
        call_command("alter", "in_place", "column", table=table)


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("way", ["in_place", "expand_contract"])
def test_each_way_makes_the_same_changes(outside, way):
    with outside.cursor() as cursor:
        cursor.execute("CREATE TABLE busy AS SELECT * FROM flights_flight LIMIT 100")
        try:
            for what in ("index", "constraint", "column"):
                call_command("alter", way, what)
            found = {tuple(each[:2]) for each in fingerprint(cursor, "busy").schema}
        finally:
            cursor.execute("DROP TABLE busy")

    assert found >= {
        ("column", "gate"),
        ("constraint", "busy_flies"),
        ("index", "busy_by_number"),
    }


@pytest.mark.parametrize(
    "value",
    ["mysql://localhost/flights", "localhost", "postgres:///nexus", "postgres://u:secret@h:port/n"],
)
def test_mistake_in_the_environment_is_one_sentence(value):
    env = {**os.environ, "DATABASE_URL": value}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("DATABASE_URL")
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr


def test_settings_of_production_have_nothing_to_say(capsys):
    call_command("check", deploy=True, fail_level="INFO", tags=["security"])

    assert "no issues" in capsys.readouterr().out


def test_published_secret_key_is_told_and_stops_nobody(settings, capsys):
    (key,) = re.findall(r"SECRET_KEY:-([^}]+)", (ROOT / "compose.yml").read_text())
    settings.SECRET_KEY = key

    call_command("check", deploy=True, fail_level="WARNING", tags=["security"])

    told = capsys.readouterr()
    assert "SECRET_KEY is the one that compose.yml publishes" in told.out + told.err


@pytest.mark.usefixtures("outside")
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
