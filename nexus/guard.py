"""Runs a command and ends with it, or before it, whatever it has started: `python -m nexus.guard COMMAND …`.

A benchmark starts workers in sessions of their own, and they start processes in turn. Signals of a
terminal reach none of them. Here all of them are descendants of one process, even those whose parent
has ended (PR_SET_CHILD_SUBREAPER, prctl(2)), and it ends with the harness.
"""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import psutil

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = (
    3  # below that of the watchdog, which would end this process before it ended the rest
)


def main(command: Sequence[str]) -> int:
    """Run `command` to its end and return its exit code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, _end)
    try:
        return subprocess.Popen(command).wait()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_descendants(GRACE_SECONDS)


def _end(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def end_descendants(grace_seconds: float) -> None:
    """Ask every process below this one to end, and kill those that have not within `grace_seconds`."""
    number = signal.SIGTERM
    # Again until there is none: one may have started another in its last moment.
    while family := psutil.Process().children(recursive=True):
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        psutil.wait_procs(family, grace_seconds)
        number = signal.SIGKILL


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
