"""A benchmark says which goals it missed, and leaves no process, however it is ended."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from nexus import results
from nexus.catalog import ROOT
from nexus.stacks.processes import wait_until

TABLE = """
import json, sys
goals = [{"met": True, "text": "at >= 1 x PING: 1.2"}, {"met": False, "text": "in <= 160 MB: 170"}]
table = {"columns": ["peer", "ratio"], "rows": [["PING", 1]], "goals": goals, "versions": {}}
open(sys.argv[-1], "w").write(json.dumps(table))
"""
# Workers as Celery's: in sessions of their own, with children of theirs, and one that lost its parent.
WORKERS = """
import os, subprocess, sys, time
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
parent = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', sys.argv[1]]); "
for last in ("time.sleep(60)", ""):
    command = [sys.executable, "-c", parent + last, stubborn]
    subprocess.Popen(command, start_new_session=True)
print("the benchmark is", os.getpid(), flush=True)
time.sleep(60)
"""
HARNESS = """
import pathlib, sys
from nexus import bench, cli
bench.ROOT = pathlib.Path(sys.argv[1])
cli.app(["bench", "toy", *sys.argv[2:]])
"""


@pytest.fixture
def harness(tmp_path: Path):
    """Return a function that begins `make bench EXAMPLE=toy` with a script in place of a benchmark."""

    def begin(script: str, *options: str) -> subprocess.Popen[str]:
        (tmp_path / "benchmarks").mkdir()
        (tmp_path / "benchmarks" / "toy.py").write_text(script)
        env = {
            **os.environ,
            "NEXUS_EXAMPLES": str(ROOT / "tests" / "examples"),
            "NEXUS_STATE": str(tmp_path / "state"),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "160",
        }
        return subprocess.Popen(
            [sys.executable, "-c", HARNESS, str(tmp_path), *options],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    return begin


def test_missed_goals_are_counted_recorded_and_an_exit_code(harness, tmp_path):
    with harness(TABLE, "--record") as running:
        said = running.communicate(timeout=180)[0]

    assert running.returncode == 1
    assert said.splitlines()[-1] == "1 of 2 goals missed: toy."
    bench = results.load(tmp_path / "results" / "toy.json").bench
    assert [(each.met, each.text) for each in bench.goals] == [
        (True, "at >= 1 x PING: 1.2"),
        (False, "in <= 160 MB: 170"),
    ]
    assert bench.rows == (("PING", 1),)


def test_a_benchmark_that_meets_its_goals_ends_with_0(harness, tmp_path):
    with harness(TABLE.replace("False", "True")) as running:
        said = running.communicate(timeout=180)[0]

    assert running.returncode == 0, said
    assert "missed" not in said
    assert not (tmp_path / "results").exists()


def test_a_benchmark_that_fails_is_named_with_its_exit_code(harness):
    with harness("import sys; sys.exit(3)") as running:
        said = running.communicate(timeout=180)[0]

    assert running.returncode == 1
    assert said.splitlines()[-1] == "The benchmark of toy ended with exit code 3."


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_benchmark_that_is_ended_leaves_no_process(harness, number, code):
    with harness(WORKERS) as running:
        script = next(line for line in running.stdout if line.startswith("the benchmark is "))
        # A session's first process, its child, and one whose parent has ended.
        assert wait_until(lambda: sum(map(is_worker, started_by(running))) == 3, 60)
        family = started_by(running)
        assert int(script.split()[-1]) in {each.pid for each in family}

        running.send_signal(number)

        assert running.wait(60) == code
        assert wait_until(lambda: not any(map(alive, family)), 60), [*filter(alive, family)]


def started_by(running: subprocess.Popen[str]) -> list[psutil.Process]:
    """Every process whose environment names the state folder of the harness that runs."""
    state = psutil.Process(running.pid).environ()["NEXUS_STATE"]
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != running.pid and state in str(process.environ()):
                found.append(process)
    return found


def is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "SIG_IGN" in "".join(process.cmdline())
    return False


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
