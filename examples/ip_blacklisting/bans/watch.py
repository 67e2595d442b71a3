"""What each process has seen, sent to the one that keeps scores: collected in memory, sent by a thread."""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError
from shield.addresses import Network, parse_network
from shield.scores import Event, Kind

from bans import stream, wiring

PAUSE_SECONDS = 0.05
MOST_WAITING = 20_000  # of a process, while nothing can be sent: the oldest are given up
KEPT = 5_000  # batches on the stream, while nobody reads them

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """One answered request; the path has no query string, for passwords are found in those."""

    seconds: float
    account: Network
    kind: Kind
    path: str
    status: int

    @property
    def event(self) -> Event:
        return Event(self.seconds, self.account, self.kind, hash(self.path))


def key(epoch: str) -> str:
    return f"bans:{epoch}:seen"


class Reporter:
    """Takes notes without waiting for anybody."""

    def __init__(self) -> None:
        self._waiting: deque[Seen] = deque(maxlen=MOST_WAITING)
        threading.Thread(target=self._send_all, name="reporter", daemon=True).start()

    def note(self, seen: Seen) -> None:
        self._waiting.append(seen)

    def _send_all(self) -> None:
        redis = stream.connect(settings.REDIS_URL)
        while True:
            time.sleep(PAUSE_SECONDS)
            if epoch := wiring.follower().replica.epoch:
                try:
                    self._send(redis, epoch)
                except RedisError as error:
                    logger.debug("not sent: %s", error)

    def _send(self, redis: "Redis", epoch: str) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not batch:
            return
        rows = [
            (each.seconds, str(each.account), each.kind, each.path, each.status) for each in batch
        ]
        try:
            redis.xadd(key(epoch), {"rows": json.dumps(rows)}, maxlen=KEPT, approximate=True)
        except RedisError:
            self._waiting.extendleft(reversed(batch))
            raise


@cache
def reporter() -> Reporter:
    """Return this process's; made after the fork, for threads do not survive one."""
    return Reporter()


def receive(redis: "Redis", epoch: str, seconds: float) -> Sequence[Seen]:
    """Wait for what was seen, and take it off the stream: addresses are not kept there."""
    answer = cast(Any, redis.xread({key(epoch): "0"}, count=500, block=int(seconds * 1_000)))
    entries = [entry for _, found in answer or () for entry in found]
    if entries:
        redis.xdel(key(epoch), *(name for name, _ in entries))
    return [seen for _, fields in entries for seen in _rows(fields[b"rows"])]


def _rows(data: bytes) -> Iterator[Seen]:
    for seconds, account, kind, path, status in json.loads(data):
        yield Seen(seconds, parse_network(account), kind, path, status)
