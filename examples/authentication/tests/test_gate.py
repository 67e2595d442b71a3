"""The gate: one place for all processes, and a killed one holds none."""

import runpy
import subprocess
import sys
import tempfile

import config.settings
import pytest
from django.conf import settings
from flights import configured
from sessions.gate import Busy, Gate

configured_gate = configured.gate.__wrapped__  # each test has another one in its place

HOLD = """
import sys, time
from pathlib import Path
from sessions.gate import Gate
with Gate(Path(sys.argv[1])).passed():
    print("held", flush=True)
    time.sleep(600)
"""


def test_who_finds_no_place_is_told_at_once_and_a_place_comes_back(tmp_path):
    gate = Gate(tmp_path)
    with gate.passed(), pytest.raises(Busy), gate.passed():
        pass

    with gate.passed():
        pass


@pytest.mark.report(
    "vllm-project/vllm#2179",
    "a lock in /tmp with one name for all belongs to who came first; others get a PermissionError",
    "each user of a machine has a folder of their own",
)
def test_another_user_of_the_machine_is_in_nobodys_way(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    for user in (4711, 4712):
        monkeypatch.setattr("os.getuid", lambda user=user: user)
        own = runpy.run_path(config.settings.__file__)["OWN_FOLDER"]
        monkeypatch.setattr(settings, "OWN_FOLDER", own)
        with configured_gate().passed():
            assert own.stat().st_mode & 0o777 == 0o700

    assert len(list(tmp_path.iterdir())) == 2


def test_two_places_let_two_in(tmp_path):
    gate = Gate(tmp_path, places=2)

    with gate.passed(), gate.passed(), pytest.raises(Busy), gate.passed():
        pass


def test_a_place_is_the_machines_and_that_of_a_killed_process_is_free(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Busy), Gate(tmp_path).passed():
            pass
        other.kill()
        other.wait()

        with Gate(tmp_path).passed():
            pass
