"""A release with a mistake in its environment does not start, and says which in one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError, connection

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres://"),
        ("DATABASE_URL", "sqlite:///db"),
        ("REDIS_URL", "localhost:6379"),
    ],
)
def test_an_address_that_is_none_ends_the_start(name, value):
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=ROOT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert done.stderr.startswith(f"{name} is no address like ")


def test_a_deployment_with_a_key_of_its_own_has_nothing_to_say():
    call_command("check", deploy=True, fail_level="INFO", tags=["security"])


def test_the_published_key_is_told(settings):
    settings.SECRET_KEY = "development-only-" + "k" * 50

    with pytest.raises(SystemCheckError, match="SECRET_KEY is the one"):
        call_command("check", deploy=True, fail_level="INFO", tags=["security"])


def test_a_database_that_does_not_answer_is_told(monkeypatch):
    def fail() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "ensure_connection", fail)

    (found,) = run_checks(
        tags=[Tags.database], databases=["default"], include_deployment_checks=False
    )
    assert "no PostgreSQL answers: connection refused" in found.msg
