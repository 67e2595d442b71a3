"""Extends the leases of the runs that go on in this process; a process that is frozen or gone does not."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from django.db import close_old_connections, connection

from . import sql
from .run import Run

logger = logging.getLogger(__name__)


class Heart:
    """One thread for all runs, and not one each: most are over before the first beat."""

    def __init__(self, lease_seconds: float) -> None:
        self.lease_seconds = lease_seconds
        self._runs: tuple[Run, ...] = ()
        threading.Thread(target=self._beat, name="heart", daemon=True).start()

    @contextmanager
    def beating(self, runs: Sequence[Run]) -> Iterator[None]:
        """Extend the leases of *runs* every quarter of them."""
        began = time.monotonic()
        before, self._runs = self._runs, (*self._runs, *runs)
        try:
            yield
        finally:
            self._runs = before
            if time.monotonic() - began > self.lease_seconds / 4:
                close_old_connections()  # nobody has used it for so long that it may be gone

    def _beat(self) -> None:
        while True:
            time.sleep(self.lease_seconds / 4)
            for run in self._runs:
                try:
                    sql.rows("beat", job=run.job, attempt=run.attempt, lease=self.lease_seconds)
                except Exception:
                    # The database is away: the next beat tries again, the fence decides.
                    logger.warning("job %s: no heartbeat", run.job, exc_info=True)
            connection.close()


@cache
def heart(lease_seconds: float) -> Heart:
    """Return this process's heart; made by the first run, so that a forked worker has one of its own."""
    return Heart(lease_seconds)
