"""Mistakes in the settings: one sentence each, and no traceback."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from redis import Redis

EXAMPLE = Path(__file__).parents[1]
REDIS_URL = os.environ["REDIS_URL"]
WRONG = REDIS_URL.replace(f":{urlsplit(REDIS_URL).password}@", ":wrong@")


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ({"REDIS_URL": "localhost"}, "REDIS_URL is no address of a Redis"),
        ({"CDN_PURGE_URL": "varnish:80"}, "does not begin with http://"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL is no address of a database"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistake_ends_the_settings_with_a_sentence(mistake, sentence, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ | mistake)
    with pytest.raises(SystemExit, match=sentence) as ended:
        runpy.run_path(str(EXAMPLE / "config" / "settings.py"))

    assert "\n" not in str(ended.value)


def test_database_that_is_away_ends_the_release_with_a_sentence_and_no_traceback():
    done = subprocess.run(
        [sys.executable, "manage.py", "prepare"],
        cwd=EXAMPLE,
        env={**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
    )

    assert done.returncode != 0
    assert "DATABASE_URL does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_published_key_is_named(settings):
    settings.SECRET_KEY = "development-only-" + "x7Kq2" * 8

    said = checks.run_checks(tags=["security"], include_deployment_checks=True)

    assert "flights.I001" in {each.id for each in said}


def test_deploy_check_is_clean(capsys):
    call_command("check", deploy=True, fail_level="INFO")

    assert capsys.readouterr().out == "System check identified no issues (4 silenced).\n"


@pytest.mark.report(
    "jazzband/django-redis#659",
    "with errors ignored a wrong password is `Exception ignored`, or nothing",
    "`check --deploy` and one line of the log name it",
)
def test_wrong_password_is_a_sentence(settings):
    settings.REDIS_URL = WRONG

    with pytest.raises(SystemCheckError, match="REDIS_URL is refused: "):
        call_command("prepare")


def test_redis_that_may_forget_purges_is_a_sentence():
    with Redis.from_url(REDIS_URL) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            said = checks.run_checks(tags=["caches"], include_deployment_checks=True)
        finally:
            redis.config_set("maxmemory-policy", "noeviction")

    assert "Redis evicts (allkeys-lru), and would forget purges" in said[0].msg
