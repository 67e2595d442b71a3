"""What the relay does for each queue in turn; a duty that fails pauses, and holds up none of the others."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

logger = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 0.5  # after a failure


@dataclass(slots=True)
class Duty:
    """Something to do for a queue again and again; *carry_out* returns whether there is more at once."""

    queue: str
    every_seconds: float
    carry_out: Callable[[], bool]
    due_at: float = 0  # of time.monotonic()

    def turn(self) -> None:
        """Carry it out if it is due."""
        if time.monotonic() < self.due_at:
            return
        try:
            pause = 0 if self.carry_out() else self.every_seconds
        except Exception as error:  # whatever it is, the rows are still there
            cause = error.__cause__ or error  # kombu and Django raise their own, which say less
            logger.warning("%s waits: %s: %s", self.queue, type(cause).__name__, cause)
            connection.close()  # it may lead to a server that takes no writes any more
            pause = max(self.every_seconds, PAUSE_SECONDS)
        self.due_at = time.monotonic() + pause


def keep(duties: Sequence[Duty]) -> None:
    """Carry them out for ever."""
    while True:
        for duty in duties:
            duty.turn()
        time.sleep(max(0, min(duty.due_at for duty in duties) - time.monotonic()))
