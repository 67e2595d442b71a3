"""Extends the leases of the runs that go on in this process; a process that is frozen or gone does not."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Protocol
from uuid import UUID

from django.db import close_old_connections, connection

from . import sql

logger = logging.getLogger(__name__)


class Beating(Protocol):
    """What a heartbeat tells of a run, and is told."""

    job: UUID
    attempt: int
    percent: int
    fenced: bool


class Heart:
    """One thread for all runs, and not one each: most are over before the first beat."""

    def __init__(self, lease_seconds: float) -> None:
        self.lease_seconds = lease_seconds
        self._runs: tuple[Beating, ...] = ()
        threading.Thread(target=self._beat, name="heart", daemon=True).start()

    @contextmanager
    def beating(self, runs: Sequence[Beating]) -> Iterator[None]:
        """Extend the leases of *runs* every quarter of them; what each says of itself goes along."""
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
                    self._extend(run)
                except Exception:
                    # The database is away: the next beat tries again, the fence decides.
                    logger.warning("job %s: no heartbeat", run.job, exc_info=True)
            connection.close()

    def _extend(self, run: Beating) -> None:
        lease, progress = self.lease_seconds, run.percent
        run.fenced = not sql.rows(
            "beat", job=run.job, attempt=run.attempt, lease=lease, progress=progress
        )


@cache
def heart(lease_seconds: float) -> Heart:
    """Return this process's heart; made by the first run, so that a forked worker has one of its own."""
    return Heart(lease_seconds)
