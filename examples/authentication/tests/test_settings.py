"""A mistake in the environment, or a clock that goes wrong, is one sentence."""

import os
import subprocess
import sys
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from flights import configured
from flights.management.commands import prepare


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "sqlite:///db"),
        ("HASHES_AT_ONCE", "many"),
        ("HASHES_AT_ONCE", "0"),
    ],
)
def test_a_mistake_is_one_sentence(name, value):
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert name in done.stderr
    assert done.stderr.count("\n") == 1


def test_clocks_apart_are_told(monkeypatch):
    monkeypatch.setattr(prepare, "time", type("Late", (), {"time": lambda: time.time() - 60}))

    with pytest.raises(CommandError, match="60 s apart; tokens need them within 5"):
        call_command("prepare")


def test_a_key_file_that_is_wrong_stops_the_release(monkeypatch, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text("")
    path.chmod(0o600)
    monkeypatch.setattr(configured, "key_file", lambda: configured.KeyFile(path))

    with pytest.raises(CommandError, match=r"bad\.json: it is no list of keys"):
        call_command("prepare")


def test_a_database_that_is_away_stops_the_release(monkeypatch):
    monkeypatch.setattr(connections["owner"], "connect", away)
    connections["owner"].close()

    with pytest.raises(CommandError, match=r"DATABASE_URL: no PostgreSQL answers at .*: refused"):
        call_command("prepare")


def away():
    raise OperationalError("connection failed:\n  refused")


def test_a_turn_that_comes_too_early_says_how_long_to_wait(monkeypatch, tmp_path, capsys):
    file = configured.KeyFile(tmp_path / "keys.json")
    keys = configured.key_file().keys()
    file.write(keys)
    monkeypatch.setattr(configured, "key_file", lambda: file)

    call_command("turn", "publish")
    assert capsys.readouterr().out.endswith(" published\n")
    with pytest.raises(CommandError, match="too short a time: wait another 300 s"):
        call_command("turn", "sign")
