"""What one process does for all, and no other: a second keeper waits until the first is gone.

Reads what was seen, keeps it, judges it, hands verdicts to the list, forgets.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from resource import RUSAGE_SELF, getrusage

from detector.sightings import Rule, Verdict
from django.db import DataError, close_old_connections, connection
from django.utils import timezone
from redis import Redis

from . import log, stream
from .forgetting import forget
from .refusals import Refusals
from .stream import Seen

WAIT_SECONDS = 0.1
STANDBY_SECONDS = 1.0
FORGET_SECONDS = 3_600.0
LOCK = 1_959  # any number, the same for all keepers

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What becomes of the sightings of one variant.

    Attributes:
        deletes_first: whether entries are deleted before they are kept: the naive order.
    """

    rule: Rule
    keep: Callable[[Sequence[Seen]], None] = log.keep
    found: Callable[[str, Verdict, float], None] = log.found
    deletes_first: bool = False


@dataclass
class Keeper:
    """One pass of `step` looks after everything that is due; a duty that fails stops no other."""

    redis: "Redis"
    pipelines: Mapping[str, Pipeline]
    last: dict[str, str] = field(default_factory=dict)  # entry of each stream that is done
    waiting: deque[tuple[str, Verdict, float]] = field(default_factory=deque)
    forget_at: float = 0

    def step(self) -> None:
        if not self._attempt("lead", self._lead):
            time.sleep(STANDBY_SECONDS)
            return
        if not self._attempt("watch", self._watch):
            time.sleep(WAIT_SECONDS)
        self._attempt("hand over", self._hand_over)
        self._attempt("tell", self._tell)
        if time.monotonic() >= self.forget_at and self._attempt("forget", self._forget):
            self.forget_at = time.monotonic() + FORGET_SECONDS

    @staticmethod
    def _attempt(duty: str, do: Callable[[], bool]) -> bool:
        try:
            close_old_connections()
            return do()
        except Exception as error:  # whatever it is: the other duties are still due
            logger.warning("%s is tried again: %s", duty, error)
            return False

    @staticmethod
    def _lead() -> bool:
        with connection.cursor() as cursor:
            # The connection holds it; taken again, it is only counted.
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            return bool(cursor.fetchone()[0])

    def _watch(self) -> bool:
        after = {name: self.last.get(name, "0-0") for name in self.pipelines}
        entries = stream.receive(self.redis, after, WAIT_SECONDS)
        failed = 0
        for name, found in entries.items():
            failed += not self._attempt(name, partial(self._take, name, found))
        return not failed

    def _take(self, name: str, entries: Sequence[tuple[str, bytes]]) -> bool:
        pipeline, last = self.pipelines[name], entries[-1][0]
        if pipeline.deletes_first:
            self.last[name] = last
            stream.forget(self.redis, name, last)
        seen = [each for entry, rows in entries for each in stream.read(entry, rows)]
        pipeline.keep(seen)
        # From here on nothing is read again: a sighting is kept twice without harm, and not judged twice.
        self.last[name] = last
        for _, sighting in seen:
            for verdict in pipeline.rule.observe(sighting):
                self.waiting.append((name, verdict, sighting.seconds))
        stream.forget(self.redis, name, last)
        return True

    def _hand_over(self) -> bool:
        """Give verdicts to the list and keep them; those that cannot be given wait."""
        while self.waiting:
            name, verdict, seconds = self.waiting[0]
            Refusals(self.redis, name).add(verdict)
            try:
                self.pipelines[name].found(name, verdict, seconds)
            except DataError as error:  # the next time, too
                logger.error("a verdict is not kept: %s", error)
            self.waiting.popleft()
        return True

    def _tell(self) -> bool:
        """Say for operators how this process does."""
        peak = getrusage(RUSAGE_SELF).ru_maxrss  # kB on Linux
        self.redis.hset("keeper", mapping={"at": int(time.time()), "peak_kb": peak})
        return True

    @staticmethod
    def _forget() -> bool:
        forget(timezone.now())
        return True
