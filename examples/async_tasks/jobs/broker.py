"""What the relay asks of a broker: to confirm a message, and to count those that wait."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from celery import Celery
from kombu.common import maybe_declare

from .topology import QUEUES

TASK: Final = "jobs.run"
CONNECT_SECONDS: Final = 2
ANSWER_SECONDS: Final = 3  # for so long the other queues wait


class Publisher:
    """Publishes over one connection, which is made anew after a failure.

    A frozen broker is an error after some seconds, not a wait for ever.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        limits = ("read_timeout", "write_timeout", "socket_timeout")  # the last one is of Redis
        options = {"confirm_publish": True, **dict.fromkeys(limits, ANSWER_SECONDS)}
        self._connection = app.connection_for_write(
            connect_timeout=CONNECT_SECONDS, transport_options=options
        )

    def __call__(self, queue: str, jobs: Sequence[UUID]) -> None:
        """Publish one message about *jobs*, and return once the broker has confirmed it."""
        with self._channel() as channel:
            # Celery has kombu declare the queue once for each connection.
            self._app.send_task(
                TASK,
                [[str(job) for job in jobs]],
                queue=queue,
                producer=self._app.amqp.Producer(channel, auto_declare=False),
                retry=False,
                mandatory=True,  # or RabbitMQ confirms what it has thrown away: the queue is gone
                confirm_timeout=ANSWER_SECONDS,
            )

    def waiting(self, queue: str) -> int:
        """Return how many messages wait that no worker has."""
        with self._channel() as channel:
            maybe_declare(QUEUES[queue], channel)  # once for each connection
            is_amqp = self._connection.transport.driver_type == "amqp"
            # One that is gone is an error here: declared by this alone, no exchange would lead to it.
            return int(channel.queue_declare(queue, passive=is_amqp).message_count)

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        try:
            yield self._connection.default_channel
        except Exception:
            self._connection.collect()  # without a good-bye: a broker in alarm answers none
            raise
