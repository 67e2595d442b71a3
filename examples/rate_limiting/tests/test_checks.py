"""A mistake in the settings is one sentence at start-up, and the exit code says so."""

import os
import runpy
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

pytest_plugins = ["tests.site"]

EXAMPLE = Path(__file__).parents[1]
RELEASE = (EXAMPLE / "Procfile").read_text().splitlines()[0].partition("manage.py ")[2].split()


def said(command, **settings):
    """Return what a command says with other settings; it is called, as a process is slow to start."""
    output = StringIO()
    with override_settings(**settings):
        call_command(*command, stdout=output, stderr=output)
    return output.getvalue()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TRUSTED_PROXIES", "10.0.0.0/99", "TRUSTED_PROXIES: trusted proxy '10.0.0.0/99' is not a"),
        ("SECRET_KEY", "", "SECRET_KEY is unset or shorter than 50 characters"),
        ("REDIS_URL", "redis://:pw@127.0.0.1:1/0", "REDIS_URL: 127.0.0.1:1/0 does not decide ("),
    ],
)
def test_release_fails_with_one_sentence(name, value, sentence):
    done = subprocess.run(
        [sys.executable, "manage.py", *RELEASE],
        cwd=EXAMPLE,
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert "pw" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("IPV6_PREFIX", "0", "IPV6_PREFIX: '0' is not from 16 to 128"),
        (
            "WEB_CONCURRENCY",
            "many",
            "WEB_CONCURRENCY: invalid literal for int() with base 10: 'many'",
        ),
        ("WEB_REPLICAS", "0", "WEB_REPLICAS: '0' is not from 1 to"),
        ("REDIS_TIMEOUT_SECONDS", "0", "REDIS_TIMEOUT_SECONDS: '0' is not from 0.001"),
        ("REDIS_URL", "http://x", "REDIS_URL: not the address of a Redis server"),
    ],
)
def test_every_setting_is_read_so(monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(EXAMPLE / "config" / "settings.py"))

    assert end.value.code.startswith(sentence)


def test_production_settings_are_clean():
    assert "no issues (4 silenced)" in said(["check", "--deploy", "--fail-level", "WARNING"])


def test_the_published_key_is_named():
    names = said(RELEASE, SECRET_KEY="development-only-" * 3)

    assert "SECRET_KEY is the one that compose.yml publishes" in names


def test_check_does_not_need_redis_unless_it_is_asked_to():
    assert "no issues" in said(["check"], REDIS_URL="redis://127.0.0.1:1/0")


@pytest.mark.report(
    "alisaifee/flask-limiter#398",
    "a Redis user may not run a needed command, and every decision is made without Redis",
    "the release check runs the script and says what is missing; the needed ACL is tested",
)
def test_the_documented_acl_is_enough_and_less_is_named(start_server):
    (acl,) = (
        line.strip()
        for line in (EXAMPLE / "OPERATING.md").read_text().splitlines()
        if line.strip().startswith("ACL SETUSER limiter ")
    )
    server = start_server()
    url = server.url.replace("//", "//limiter:secret@")
    with server.client() as client:
        client.execute_command(*acl.replace("PASSWORD", "secret").split())
        said(RELEASE, REDIS_URL=url)
        client.execute_command("ACL", "SETUSER", "limiter", "-time")

    with pytest.raises(SystemCheckError, match="does not let this user run the script"):
        said(RELEASE, REDIS_URL=url)


def test_what_redis_does_when_it_is_full_is_named(start_server):
    server = start_server("--maxmemory-policy", "noeviction", "--maxmemory", "200mb")

    named = said(RELEASE, REDIS_URL=server.url)
    with server.client() as client:
        client.config_set("maxmemory-policy", "volatile-ttl")
        silent = said(RELEASE, REDIS_URL=server.url)
        client.config_set("maxmemory", "0")
        unbounded = said(RELEASE, REDIS_URL=server.url)

    assert "maxmemory-policy noeviction" in named
    assert "maxmemory" not in silent
    assert "no maxmemory" in unbounded
