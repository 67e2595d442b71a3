"""Extends the leases of the runs that go on in this process; a process that is frozen or gone does not."""

import logging
import threading
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

    def beat() -> None:
        while not over.wait(lease_seconds / 4):
            beaten.set()
            try:
                for run in runs:
                    sql.rows("beat", job=run.job, attempt=run.attempt, lease=lease_seconds)
            except Exception:
                # The database is away: the next beat tries again, the fence decides.
                logger.warning("%d jobs: no heartbeat", len(runs), exc_info=True)
            connection.close()

    threading.Thread(target=beat, name="heart", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        if beaten.is_set():
            close_old_connections()  # nobody has used it for so long that it may be gone
