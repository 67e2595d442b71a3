"""Mistakes in the settings: one sentence each, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

EXAMPLE = Path(__file__).parents[1]
REDIS_URL = os.environ["REDIS_URL"]
PUBLISHED = "development-only-" + "x7Kq2" * 8
WRONG = REDIS_URL.replace(f":{urlsplit(REDIS_URL).password}@", ":wrong@")


def managed(*command, **mistake):
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=EXAMPLE,
        env={**os.environ, **mistake},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ({"LOCAL_LAYER_BYTES": "16MB"}, "LOCAL_LAYER_BYTES is '16MB', not a whole number"),
        ({"COMPUTATIONS_PER_PROCESS": "0"}, "COMPUTATIONS_PER_PROCESS is '0', not a whole number"),
        ({"REDIS_URL": "localhost"}, "REDIS_URL is no address of a Redis"),
        ({"CDN_PURGE_URL": "varnish:80"}, "does not begin with http://"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL is no address of a database"),
        ({"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}, "DATABASE_URL does not answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistake_is_a_sentence(mistake, sentence):
    done = managed("prepare", **mistake)

    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_published_key_is_named_and_refuses_nothing():
    done = managed("check", "--deploy", "--fail-level", "WARNING", SECRET_KEY=PUBLISHED)

    assert done.returncode == 0
    assert "SECRET_KEY is the published development one of compose.yml" in done.stderr


def test_deploy_check_is_clean():
    done = managed("check", "--deploy", "--fail-level", "INFO")

    assert (done.returncode, done.stdout) == (
        0,
        "System check identified no issues (4 silenced).\n",
    )


@pytest.mark.report(
    "jazzband/django-redis#659",
    "with errors ignored a wrong password is `Exception ignored`, or nothing",
    "`check --deploy` and one line of the log name it",
)
def test_wrong_password_is_a_sentence():
    done = managed("prepare", REDIS_URL=WRONG)

    assert done.returncode != 0
    assert "REDIS_URL is refused: " in done.stderr


def test_redis_that_may_forget_purges_is_a_sentence():
    with Redis.from_url(REDIS_URL) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            done = managed("check", "--deploy")
        finally:
            redis.config_set("maxmemory-policy", "noeviction")

    assert "Redis evicts (allkeys-lru), and would forget purges" in done.stderr
