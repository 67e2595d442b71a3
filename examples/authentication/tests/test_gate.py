"""The gate: one place for all processes, and a killed one holds none."""

import subprocess
import sys

import pytest
from sessions.gate import Busy, Gate

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
