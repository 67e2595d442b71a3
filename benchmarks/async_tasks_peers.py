"""What the solution is measured beside: an empty task in each peer, which only counts that it was run.

Their workers import this module as well: `celery --app async_tasks_peers:plain worker`.
"""

import os
import sys
from collections.abc import Callable
from typing import NamedTuple

import dramatiq
import psycopg
from celery import Celery
from dramatiq.brokers.redis import RedisBroker
from redis import Redis

REDIS_URL, DATABASE_URL = os.environ["REDIS_URL"], os.environ["DATABASE_URL"]
COUNTS = Redis.from_url(REDIS_URL)
PACKAGES = ("celery", "dramatiq", "psycopg", "django")

plain = Celery("plain", broker=REDIS_URL)
plain.conf.update(task_ignore_result=True, task_default_queue="plain")
late = Celery("late", broker=REDIS_URL, set_as_current=False)
late.conf.update(
    task_ignore_result=True,
    task_default_queue="late",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
)
dramatiq.set_broker(RedisBroker(url=REDIS_URL))
_connections: list[psycopg.Connection] = []


@plain.task(name="count")
def count_plain() -> None:
    COUNTS.incr("done:plain")


@late.task(name="count_late")
def count_late() -> None:
    """Write one row, for the effect of which late acknowledgement speaks."""
    if not _connections:
        _connections.append(psycopg.connect(DATABASE_URL, autocommit=True))
    _connections[0].execute("INSERT INTO bench_effect DEFAULT VALUES")
    COUNTS.incr("done:late")


@dramatiq.actor
def count_dramatiq() -> None:
    COUNTS.incr("done:dramatiq")


class Peer(NamedTuple):
    """How one is asked for a task, started, and asked how many it has done."""

    name: str
    submit: Callable[[], object]
    workers: tuple[tuple[str, ...], ...]
    done: Callable[[], int]


def counted(name: str) -> Callable[[], int]:
    return lambda: int(COUNTS.get(f"done:{name}") or 0)


def celery(app: str) -> tuple[str, ...]:
    return (
        "-W",
        "ignore",
        "-m",
        "celery",
        "--quiet",
        "--app",
        f"async_tasks_peers:{app}",
        "worker",
        "-c",
        "2",
    )


PEERS = (
    Peer("a list, RPUSH and BLPOP", lambda: COUNTS.rpush("raw", "{}"), (), counted("raw"))._replace(
        workers=(("-m", "async_tasks_peers"),) * 2
    ),
    Peer(
        "dramatiq, 2 processes of 4 threads",
        count_dramatiq.send,
        (("-m", "dramatiq", "async_tasks_peers", "--processes", "2", "--threads", "4"),),
        counted("dramatiq"),
    ),
    Peer("Celery, its defaults", count_plain.delay, (celery("plain"),), counted("plain")),
    Peer("Celery, acks_late, a row each", count_late.delay, (celery("late"),), counted("late")),
)


def consume() -> None:
    """Take from the list for ever: what no library can be faster than."""
    while True:
        COUNTS.blpop(["raw"], timeout=0)
        COUNTS.incr("done:raw")


if __name__ == "__main__":
    sys.exit(consume())
