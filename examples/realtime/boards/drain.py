"""A process that ends sends each listener away with a time of its own to come back."""

import signal
from asyncio import get_running_loop
from collections.abc import Callable
from itertools import count

from .messages import End

START_MS = 5_000  # a new process is ready by then, in a container, too
STEP_MS = 100  # of each process: four of them send back 40 listeners a second


def ends() -> Callable[[], End]:
    """Return what gives each listener the next turn."""
    turns = count(START_MS, STEP_MS)
    return lambda: End(1012, f"restart: come back in {(turn := next(turns))} ms", turn)


def on_stop(drain: Callable[[], None]) -> None:
    """Call `drain` at SIGTERM, before the server closes what is left."""
    server = signal.getsignal(signal.SIGTERM)

    def stop() -> None:
        drain()
        if callable(server):
            server(signal.SIGTERM, None)

    get_running_loop().add_signal_handler(signal.SIGTERM, stop)
