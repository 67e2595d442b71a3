"""A process whose keeper was killed: nobody else would end it."""

import os
import signal
from asyncio import get_running_loop
from multiprocessing import parent_process


def stop_once_orphaned() -> None:
    """Stop as at SIGTERM once the process that keeps this one is gone."""
    if (keeper := parent_process()) is None:
        return  # one process alone, which nobody keeps
    loop = get_running_loop()

    def stop() -> None:
        loop.remove_reader(keeper.sentinel)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(keeper.sentinel, stop)
