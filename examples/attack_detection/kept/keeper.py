"""What one process does for all: keep what was seen, judge it, hand verdicts over, forget."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from detector.sightings import Rule, Verdict
from django.db import close_old_connections, connection
from django.utils import timezone
from redis import Redis

from . import log, stream
from .forgetting import forget
from .memory import peak_kb
from .refusals import Refusals
from .stream import Seen

WAIT_SECONDS = 0.1
STANDBY_SECONDS, FORGET_SECONDS = 1.0, 3_600.0
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
    """One pass of `step` looks after everything that is due; a duty that fails stops no other.

    A second keeper waits until the first is gone.
    """

    redis: "Redis"
    pipelines: Mapping[str, Pipeline]
    done: dict[str, list[str]] = field(default_factory=dict)  # entries that are to be deleted
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
        if time.monotonic() >= self.forget_at and self._attempt(
            "forget", partial(forget, timezone.now())
        ):
            self.forget_at = time.monotonic() + FORGET_SECONDS

    @staticmethod
    def _attempt(duty: str, do: Callable[[], bool | None]) -> bool:
        try:
            close_old_connections()
            return do() is not False
        except Exception as error:  # whatever it is: the other duties are still due
            logger.warning("%s is tried again: %s", duty, error)
            return False

    @staticmethod
    def _lead() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            return bool(cursor.fetchone()[0])

    def _watch(self) -> bool:
        while self.done:  # what could not be deleted the last time
            stream.delete(self.redis, *next(iter(self.done.items())))
            self.done.popitem()
        entries = stream.receive(self.redis, self.pipelines, WAIT_SECONDS)
        failed = 0
        for name, found in entries.items():
            failed += not self._attempt(name, partial(self._take, name, found))
        return not failed

    def _take(self, name: str, entries: Sequence[tuple[str, bytes]]) -> None:
        pipeline, names = self.pipelines[name], [entry for entry, _ in entries]
        if pipeline.deletes_first:
            stream.delete(self.redis, name, names)
        seen = [each for entry, rows in entries for each in stream.read(entry, rows)]
        pipeline.keep(seen)
        # From here on nothing is read again: what is kept twice is kept once, what is judged twice is not.
        self.done[name] = names
        for _, sighting in seen:
            for verdict in pipeline.rule.observe(sighting):
                self.waiting.append((name, verdict, sighting.seconds))
        stream.delete(self.redis, name, names)
        del self.done[name]

    def _hand_over(self) -> None:
        """Give verdicts to the list and keep them; those that cannot be given wait."""
        while self.waiting:
            name, verdict, seconds = self.waiting[0]
            Refusals(self.redis, name).add(verdict)
            self.pipelines[name].found(name, verdict, seconds)
            self.waiting.popleft()

    def _tell(self) -> None:
        """Say for operators how this process does."""
        self.redis.hset("keeper", mapping={"at": f"{time.time():.1f}", "peak_kb": peak_kb()})
