"""How a release is served: as `config/gunicorn.py` says, and gone as soon as its last answer is."""

import os
from typing import Any

from config.gunicorn import *  # noqa: F403


def worker_exit(_master: Any, worker: Any) -> None:
    """End at once: to free what it shares with its master, Python would have each page copied first."""
    if worker.booted:
        os._exit(0)
