"""Ends a program with the harness that started it, however the harness ends."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)  # loaded here: the child of a fork must not load libraries


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Run in a child before its program: it ends with the thread that started it, on Linux.

    Even a harness that is killed with SIGKILL leaves nothing running.
    """
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, number)
