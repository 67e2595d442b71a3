"""What Prometheus is told, by one process and by several together."""

import os
import subprocess
import sys
from pathlib import Path

from edge import metrics
from limiter.decision import Decision, Mode, Outcome
from limiter.policy import Policy, Rate
from prometheus_client import REGISTRY

pytest_plugins = ["tests.edge"]


def counted(policy, outcome, mode):
    labels = {"policy": policy, "outcome": outcome, "mode": mode}
    return REGISTRY.get_sample_value("limiter_decisions_total", labels)


def decision(name, *, allowed, mode=Mode.EXACT, shadow=False):
    policy = Policy(name, 10, Rate(1), shadow=shadow)
    return Decision.of((Outcome(policy, allowed, 0, 0, 0),), mode)


def test_decisions_are_counted_by_policy_outcome_and_mode():
    metrics.observe(decision("m1", allowed=True), 0.001)
    metrics.observe(decision("m1", allowed=False), 0.001)
    metrics.observe(decision("m1", allowed=False, mode=Mode.CACHED), 0.001)

    assert counted("m1", "allowed", "exact") == 1
    assert counted("m1", "refused", "exact") == 1
    assert counted("m1", "refused", "cached") == 1


def test_shadow_policy_counts_what_it_would_refuse():
    metrics.observe(decision("m2", allowed=False, shadow=True), 0.001)

    assert counted("m2", "shadow", "exact") == 1


def test_only_decisions_of_redis_are_timed():
    before = REGISTRY.get_sample_value("limiter_script_seconds_count")

    metrics.observe(decision("m3", allowed=True), 0.001)
    metrics.observe(decision("m3", allowed=False, mode=Mode.CACHED), 0.001)

    assert REGISTRY.get_sample_value("limiter_script_seconds_count") == before + 1


def test_outage_lasts_from_its_first_decision_to_the_first_exact_one():
    outage = metrics.Outage()

    steps = [(False, 10.0), (True, 11.0), (True, 11.5), (False, 11.75), (False, 20.0)]

    assert [outage.note(degraded, now) for degraded, now in steps] == [0, 0, 0.5, 0.25, 0]


def test_outage_without_requests_does_not_count():
    outage = metrics.Outage()
    outage.note(True, 10.0)

    assert outage.note(False, 3_610.0) == metrics.IDLE_SECONDS


def test_metrics_are_served(site, address):
    site.airport("token_bucket", address=address)

    answer = site.get("/metrics")

    assert answer["Content-Type"].startswith("text/plain; version=")
    assert b'limiter_decisions_total{mode="exact",outcome="allowed",policy="airports"}' in (
        answer.content
    )


def test_worker_processes_are_added_up(tmp_path):
    program = (
        "from abuse.watch import LOST_WINDOWS\n"
        "from edge import metrics\n"
        "LOST_WINDOWS.inc(2)\n"
        "print(metrics.exposition(None).content.decode())\n"
    )
    directory = tmp_path / "not" / "there" / "yet"

    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{program}"],
            cwd=Path(__file__).parents[1],
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(directory)},
            capture_output=True,
            text=True,
            check=True,
        )

    assert "limiter_lost_windows_total 6.0" in done.stdout.splitlines()
