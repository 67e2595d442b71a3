"""A mistake in the settings is one sentence at start-up, and the exit code says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["tests.site"]

EXAMPLE = Path(__file__).parents[1]
RELEASE = (EXAMPLE / "Procfile").read_text().splitlines()[0].partition("manage.py ")[2].split()


def manage(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=EXAMPLE,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TRUSTED_PROXIES", "10.0.0.0/99", "TRUSTED_PROXIES: trusted proxy '10.0.0.0/99' is not a"),
        ("IPV6_PREFIX", "0", "IPV6_PREFIX: '0' is not from 16 to 128"),
        (
            "WEB_CONCURRENCY",
            "many",
            "WEB_CONCURRENCY: invalid literal for int() with base 10: 'many'",
        ),
        ("WEB_REPLICAS", "0", "WEB_REPLICAS: '0' is not from 1 to"),
        ("REDIS_TIMEOUT_SECONDS", "0", "REDIS_TIMEOUT_SECONDS: '0' is not from 0.001"),
        ("SECRET_KEY", "", "SECRET_KEY is unset or shorter than 50 characters"),
        ("REDIS_URL", "http://x", "REDIS_URL: not the address of a Redis server"),
        ("REDIS_URL", "redis://:pw@127.0.0.1:1/0", "REDIS_URL: 127.0.0.1:1/0 does not decide ("),
    ],
)
def test_release_fails_with_one_sentence(name, value, sentence):
    done = manage(*RELEASE, **{name: value})

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert "pw" not in done.stderr


def test_production_settings_are_clean():
    done = manage("check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 0
    assert "no issues (4 silenced)" in done.stdout + done.stderr


def test_the_published_key_is_named():
    done = manage(*RELEASE, SECRET_KEY="development-only-" * 3)

    assert done.returncode == 0
    assert "SECRET_KEY is the one that compose.yml publishes" in done.stdout + done.stderr


def test_check_does_not_need_redis_unless_it_is_asked_to():
    assert manage("check", REDIS_URL="redis://127.0.0.1:1/0").returncode == 0


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
        enough = manage(*RELEASE, REDIS_URL=url)
        client.execute_command("ACL", "SETUSER", "limiter", "-time")
        less = manage(*RELEASE, REDIS_URL=url)

    assert enough.returncode == 0, enough.stderr
    assert less.returncode == 1
    assert "does not let this user run the script" in less.stderr
    assert "Traceback" not in less.stderr


@pytest.mark.report(
    "animir/node-rate-limiter-flexible#283",
    "the URL names one node of a cluster, and clients of other slots fail",
    "the release check asks for several slots and says so",
)
def test_a_node_of_a_cluster_is_named(start_server, wait_until):
    server = start_server("--cluster-enabled", "yes")
    with server.client() as client:
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 8_000)
        client.config_set("cluster-require-full-coverage", "no")
        wait_until(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")

    done = manage(*RELEASE, REDIS_URL=server.url)

    assert done.returncode == 1
    assert "is a node of a cluster: give RedisStore a RedisCluster" in done.stderr


def test_what_redis_does_when_it_is_full_is_named(start_server):
    server = start_server("--maxmemory-policy", "noeviction", "--maxmemory", "200mb")

    named = manage(*RELEASE, REDIS_URL=server.url)
    with server.client() as client:
        client.config_set("maxmemory-policy", "volatile-ttl")
        silent = manage(*RELEASE, REDIS_URL=server.url)
        client.config_set("maxmemory", "0")
        unbounded = manage(*RELEASE, REDIS_URL=server.url)

    assert (named.returncode, silent.returncode, unbounded.returncode) == (0, 0, 0)
    assert "maxmemory-policy noeviction" in named.stdout + named.stderr
    assert "maxmemory" not in silent.stdout + silent.stderr
    assert "no maxmemory" in unbounded.stdout + unbounded.stderr
