"""A mistake in the settings is one sentence at start-up, and the exit code says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from edge import checks  # noqa: F401 -- registers them
from limiter.policy import Policy, Rate

pytest_plugins = ["tests.edge"]
pytestmark = pytest.mark.usefixtures("site")


def sentences(*tags):
    return [(error.id, error.msg) for error in run_checks(tags=tags)]


def manage(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=Path(__file__).parents[1],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/99",
            "edge.E003) trusted proxy '10.0.0.0/99' is not a network",
        ),
        ("WEB_CONCURRENCY", "many", "edge.E004) WEB_REPLICAS and WEB_CONCURRENCY are whole"),
        ("SECRET_KEY", "", "edge.E005) SECRET_KEY is unset or shorter than 50 characters"),
        ("REDIS_URL", "http://x", "edge.E006) REDIS_URL is not the address of a Redis server"),
        (
            "REDIS_URL",
            "redis://:pw@127.0.0.1:1/0",
            "edge.E007) REDIS_URL: no Redis answers at 127.0.0.1:1/0 (",
        ),
        (
            "REDIS_CLUSTER_URL",
            "redis://:pw@127.0.0.1:1/0",
            "edge.E008) REDIS_CLUSTER_URL: no cluster answers at 127.0.0.1:1/0 (",
        ),
    ],
)
def test_release_fails_with_one_sentence(name, value, sentence):
    release = Path(__file__).parents[1].joinpath("Procfile").read_text().splitlines()[0]
    arguments = release.partition("manage.py ")[2].split()

    done = manage(*arguments, **{name: value})

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("?: (") == 1
    assert "pw" not in done.stderr


def test_production_settings_are_clean():
    done = manage("check", "--deploy", "--fail-level", "WARNING")

    assert (done.returncode, done.stderr.strip()) == (
        0,
        "" if done.stdout else "System check identified no issues (5 silenced).",
    )


def test_check_does_not_need_redis_unless_it_is_asked_to():
    assert manage("check", REDIS_URL="redis://127.0.0.1:1/0").returncode == 0


def test_impossible_policy_is_named(monkeypatch):
    def rules():
        return Policy("refund", 10, Rate(0))

    monkeypatch.setattr("edge.configured.import_string", lambda _: rules())

    assert sentences("limits") == [("edge.E001", "policy 'refund': rate 0 per 1 s refills nothing")]


def test_missing_rules_are_named(settings):
    settings.LIMIT_RULES = "flights.nothing.RULES"

    assert sentences("limits") == [("edge.E001", "No module named 'flights.nothing'")]


def test_path_limited_by_an_unknown_rule_set_is_named(settings):
    settings.LIMITED_PATHS = {"/api/": "airport"}

    assert sentences("limits") == [
        ("edge.E002", "LIMITED_PATHS: /api/ has no rule set 'airport' in LIMIT_RULES")
    ]


def test_no_process_at_all_is_refused(settings):
    settings.PROCESSES = ("0", "2")

    assert sentences("limits") == [("edge.E004", "WEB_REPLICAS and WEB_CONCURRENCY are 1 or more")]
