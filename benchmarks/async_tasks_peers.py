"""What the solution is measured beside: a task in each peer that does next to nothing, and is counted.

Their workers import this module as well: `celery --app async_tasks_peers:plain worker`.
"""

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import dramatiq
import psycopg
from celery import Celery, Task
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from kombu import Connection, Consumer, Queue

BROKER_URL, DATABASE_URL = os.environ["CELERY_BROKER_URL"], os.environ["DATABASE_URL"]
RABBITMQ = BROKER_URL.startswith("amqp")
PACKAGES = ("celery", "dramatiq", "psycopg", "django")
SAFE = {"x-queue-type": "quorum"} if RABBITMQ else {}

plain = Celery("plain", broker=BROKER_URL)
plain.conf.update(task_ignore_result=True, task_default_queue="plain")


def careful(name: str, **settings: Any) -> Celery:
    """Return an application that loses nothing, with a queue of its own."""
    app = Celery(name, broker=BROKER_URL, set_as_current=False)
    app.conf.update(
        task_queues=[Queue(name, queue_arguments=SAFE)],
        task_default_queue=name,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport_options={"confirm_publish": True} if RABBITMQ else {},
        **settings,
    )
    return app


late = careful("late", task_ignore_result=True)
seen = careful(
    "seen",
    task_track_started=True,
    result_backend=DATABASE_URL.replace("postgres", "db+postgresql+psycopg", 1),
)
dramatiq.set_broker(
    RabbitmqBroker(url=BROKER_URL.removesuffix("//") + "/%2F", confirm_delivery=True)
    if RABBITMQ
    else RedisBroker(url=BROKER_URL)
)


@cache
def database() -> psycopg.Connection:
    """Return this process's connection; one for all of its tasks."""
    return psycopg.connect(DATABASE_URL, autocommit=True)


def create_tables() -> None:
    """Make what the peers write into: an effect each, and which tasks have had theirs."""
    database().execute("CREATE TABLE bench_effect (id bigserial PRIMARY KEY, peer text NOT NULL)")
    database().execute("CREATE TABLE bench_once (task uuid PRIMARY KEY)")


def effect(peer: str) -> None:
    database().execute("INSERT INTO bench_effect (peer) VALUES (%s)", [peer])


def counted(peer: str) -> Callable[[], int]:
    def count() -> int:
        found = database().execute("SELECT count(*) FROM bench_effect WHERE peer = %s", [peer])
        return int((found.fetchone() or (0,))[0])

    return count


@plain.task(name="count")
def count_plain() -> None:
    effect("plain")


@late.task(name="count_late")
def count_late() -> None:
    effect("late")


def effect_once(peer: str, task: "Task[Any, Any]") -> None:
    """Have the effect once, however often the message comes: what late acknowledgement asks for."""
    with database().transaction():
        new = database().execute(
            "INSERT INTO bench_once VALUES (%s) ON CONFLICT DO NOTHING", [task.request.id]
        )
        if new.rowcount:
            effect(peer)


@late.task(name="count_once", bind=True)
def count_once(self: "Task[Any, Any]") -> None:
    effect_once("once", self)


@seen.task(name="count_seen", bind=True)
def count_seen(self: "Task[Any, Any]") -> None:
    effect_once("seen", self)


@dramatiq.actor
def count_dramatiq() -> None:
    effect("dramatiq")


class Peer(NamedTuple):
    """How one is asked for a task, started, and asked how many it has done.

    Attributes:
        relays: what runs while tasks are asked for, too.
        sent: whether they have handed over all that was asked for.
    """

    name: str
    submit: Callable[[], object]
    workers: tuple[tuple[str, ...], ...]
    done: Callable[[], int]
    relays: tuple[tuple[str, ...], ...] = ()
    sent: Callable[[], bool] = lambda: True


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
    Peer(
        "messages, published and consumed",
        lambda: raw().Producer().publish({}, routing_key="raw"),
        (("-m", "async_tasks_peers"),) * 2,
        counted("raw"),
    ),
    Peer(
        "dramatiq, 2 processes of 4 threads",
        count_dramatiq.send,
        (("-m", "dramatiq", "async_tasks_peers", "--processes", "2", "--threads", "4"),),
        counted("dramatiq"),
    ),
    Peer("Celery, its defaults", count_plain.delay, (celery("plain"),), counted("plain")),
    Peer("Celery, acks_late", count_late.delay, (celery("late"),), counted("late")),
    Peer("Celery, acks_late, once", count_once.delay, (celery("late"),), counted("once")),
    Peer(
        "Celery, the same, states in PostgreSQL",
        count_seen.delay,
        (celery("seen"),),
        counted("seen"),
    ),
)


RAW = Queue("raw", queue_arguments=SAFE)


@cache
def raw() -> Connection:
    """Connect without Celery; what is published is confirmed."""
    options = {"confirm_publish": True} if RABBITMQ else {}
    connection = Connection(BROKER_URL, transport_options=options)
    RAW(connection.default_channel).declare()
    return connection


def consume() -> None:
    """Take messages for ever; a library that does more for each is slower."""

    def take(_body: object, message: Any) -> None:
        effect("raw")
        message.ack()

    with Consumer(raw().default_channel, [RAW], callbacks=[take], prefetch_count=100):
        while True:
            raw().drain_events()


if __name__ == "__main__":
    sys.exit(consume())
