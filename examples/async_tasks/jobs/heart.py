"""Extends the leases of the runs that go on in this process; a process that is frozen or gone does not."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import close_old_connections, connection

from . import sql
from .run import Run

logger = logging.getLogger(__name__)


@contextmanager
def beating(runs: Sequence[Run], lease_seconds: float) -> Iterator[None]:
    """Extend the leases of *runs* every quarter of them; most runs are over before the first beat."""
    over, beaten = threading.Event(), threading.Event()
    ours, beaten_at = list(runs), time.monotonic()

    def keep_on() -> None:
        nonlocal beaten_at
        while not over.wait(lease_seconds / 4):
            beaten.set()
            try:
                beat(ours, lease_seconds, time.monotonic() - beaten_at)
                beaten_at = time.monotonic()
            except Exception:
                # The database is away: the next beat tries again, the fence decides.
                logger.warning("%d jobs: no heartbeat", len(ours), exc_info=True)
            connection.close()

    threading.Thread(target=keep_on, name="heart", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        if beaten.is_set():
            close_old_connections()  # nobody has used it for so long that it may be gone


def beat(runs: list[Run], lease_seconds: float, silent_seconds: float) -> None:
    """Extend the leases of *runs*, and take those out that are no longer their jobs'.

    A job that was claimed by another run, though the lease of this one was not over, was not lost with it:
    the broker has lost the connection to this worker, and gave the message out again.
    """
    for run in tuple(runs):
        said = {"job": run.job, "attempt": run.attempt}
        if not sql.rows("beat", **said, lease=lease_seconds):
            runs.remove(run)
            if silent_seconds < lease_seconds:
                sql.rows("forgive", **said)
