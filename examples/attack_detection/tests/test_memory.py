"""What the keeper says of its memory, which a claim judges."""

import subprocess
import sys
from pathlib import Path

from kept.memory import peak_kb

STARTED_BY_A_GREAT_ONE = """
import subprocess, sys
kept = b"x" * (300 * 2**20)
subprocess.run([sys.executable, "-c", "from kept.memory import peak_kb; print(peak_kb())"], check=True)
"""


def test_peak_is_that_of_this_process_and_not_of_the_one_that_started_it():
    done = subprocess.run(
        [sys.executable, "-c", STARTED_BY_A_GREAT_ONE],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert 1_000 < int(done.stdout) < 100_000


def test_peak_stays_when_the_memory_is_given_back():
    kept = b"x" * (200 * 2**20)
    del kept

    assert peak_kb() > 200 * 1024
