"""What operators meet: mistakes in the environment, and what the checks say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POOL_SIZE", "many"),
        ("POOL_SIZE", "1"),  # fewer than there are processes
        ("POOL_TIMEOUT_SECONDS", "-1"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_REPLICAS", "nan"),
        ("DATABASE_URL", "mysql://localhost/flights"),
        ("DATABASE_URL", "localhost"),
        ("DATABASE_URL", "postgres:///nexus"),
        ("DATABASE_URL", "postgres://user:secret@host:port/name"),
    ],
)
def test_mistake_in_the_environment_is_one_sentence(variable, value):
    env = {**os.environ, variable: value}

    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
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


def test_what_the_address_says_of_encryption_is_obeyed_by_each_connection():
    env = {**os.environ, "DATABASE_URL": f"{os.environ['DATABASE_URL']}?sslmode=verify-full"}
    said = "import config.settings as s; print(*(d['OPTIONS']['sslmode'] for d in s.DATABASES.values()))"

    done = subprocess.run(
        [sys.executable, "-c", said], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["verify-full", "verify-full"]


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


def test_settings_of_production_have_nothing_to_say(capsys):
    call_command("check", deploy=True, fail_level="INFO", tags=["security"])

    assert "no issues" in capsys.readouterr().out


def test_published_secret_key_is_told_and_stops_nobody(settings, capsys):
    (key,) = re.findall(r"SECRET_KEY:-([^}]+)", (ROOT / "compose.yml").read_text())
    settings.SECRET_KEY = key

    call_command("check", deploy=True, fail_level="WARNING", tags=["security"])

    told = capsys.readouterr()
    assert "SECRET_KEY is the one that compose.yml publishes" in told.out + told.err


@pytest.mark.usefixtures("flights")
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
