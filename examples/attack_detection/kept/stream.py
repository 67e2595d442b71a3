"""What each process has seen, on its way to the one that keeps scores: a Redis Stream for each variant.

A request pays for an addition to a queue; a thread sends. The id of an entry is Redis's time, so all
processes are on one clock.
"""

import json
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from typing import Any, NamedTuple, cast

from detector.clients import neighbours
from detector.sightings import Kind, Sighting
from redis import Redis
from redis.exceptions import RedisError

PAUSE_SECONDS = 0.05
MOST_WAITING = 20_000  # of a process, while nothing can be sent
KEPT = 5_000  # entries on the stream, while nobody reads them
ROWS = 500  # of an entry
BATCH = 4  # entries that are read at a time

logger = logging.getLogger(__name__)


class Seen(NamedTuple):
    """A sighting, and which it is on the stream: `1700000000000-0/3`."""

    entry: str
    sighting: Sighting


def key(variant: str) -> str:
    return f"seen:{variant}"


class Reporter:
    """Takes notes without waiting for anybody; made after the fork, for threads do not survive one."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._waiting: deque[tuple[str, Sighting]] = deque(maxlen=MOST_WAITING)
        threading.Thread(target=self._send_all, name="reporter", daemon=True).start()

    def note(self, variant: str, sighting: Sighting) -> None:
        self._waiting.append((variant, sighting))

    def _send_all(self) -> None:
        while True:
            time.sleep(PAUSE_SECONDS)
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            try:
                send(self._redis, batch)
            except RedisError:
                self._waiting.extendleft(reversed(batch))


def send(redis: "Redis", batch: Sequence[tuple[str, Sighting]]) -> None:
    """Append what was seen, in entries of one variant; raises RedisError."""
    by_variant: defaultdict[str, list[list[Any]]] = defaultdict(list)
    for variant, sighting in batch:
        by_variant[variant].append(list(sighting)[1:])  # the time is the entry's
    with redis.pipeline(transaction=True) as all_or_nothing:  # or a part would be sent twice
        for variant, rows in by_variant.items():
            for part in batched(rows, ROWS):
                fields: Any = {"rows": json.dumps(part)}
                all_or_nothing.xadd(key(variant), fields, maxlen=KEPT, approximate=True)
        all_or_nothing.execute()


def receive(
    redis: "Redis", variants: Iterable[str], seconds: float
) -> dict[str, list[tuple[str, bytes]]]:
    """Wait for entries; return the oldest of each variant, with their ids.

    From the beginning: what is done is deleted, and after a restore or a failover ids may begin lower.
    """
    asked: Any = {key(variant): "0-0" for variant in variants}
    answer = cast(Any, redis.xread(asked, count=BATCH, block=int(seconds * 1_000)))
    return {
        name.decode().partition(":")[2]: [
            (entry.decode(), fields.get(b"rows", b"")) for entry, fields in entries
        ]
        for name, entries in answer or ()
    }


def read(entry: str, rows: bytes) -> Iterator[Seen]:
    """Yield the sightings of an entry; one that cannot be read is told, and costs no other."""
    seconds = int(entry.partition("-")[0]) / 1_000
    try:
        found = list(json.loads(rows))
    except Exception as error:  # whatever is wrong with it, it will be so the next time, too
        logger.error("the entry %s is not read: %r", entry, error)
        return
    for number, row in enumerate(found):
        try:
            sighting = _sighting(seconds, *row)
        except Exception as error:  # see above
            logger.error("row %s of the entry %s is not read: %r", number, entry, error)
        else:
            yield Seen(f"{entry}/{number}", sighting)


def _sighting(
    seconds: float, client: str, kind: Kind, path: str, account: str, peers: str, status: int
) -> Sighting:
    neighbours(client)  # raises for what is no network
    return Sighting(seconds, client, kind, str(path), str(account), str(peers), int(status))


def delete(redis: "Redis", variant: str, entries: Sequence[str]) -> None:
    """Take entries off the stream: addresses are not kept there."""
    redis.xdel(key(variant), *entries)
