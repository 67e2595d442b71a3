"""What the relay asks of a broker: to confirm its messages."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from celery import Celery
from kombu import Connection

from .outbox import Message
from .topology import QUEUES

TASK: Final = "jobs.run"
CONNECT_SECONDS: Final = 2
ANSWER_SECONDS: Final = 3  # two queues that wait as long, one after the other, are no dead relay


def patient(connect: Callable[..., Connection], **options: Any) -> Connection:
    """Return a connection on which a frozen broker is an error after some seconds, not a wait for ever."""
    limits = ("read_timeout", "write_timeout", "socket_timeout")  # the last one is of Redis
    options |= dict.fromkeys(limits, ANSWER_SECONDS)
    return connect(connect_timeout=CONNECT_SECONDS, transport_options=options)


def speaks_amqp(connection: Connection) -> bool:
    return bool(connection.transport.driver_type == "amqp")


class Publisher:
    """Publishes for the relay, over one connection that is made anew after a failure."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection = patient(app.connection_for_write, confirm_publish=False)
        self._confirmations: Confirmations | None = None
        self._declared: set[str] = set()

    def __call__(self, queue: str, messages: Sequence[Message]) -> Sequence[Message]:
        """Publish *messages*, and return those that the broker has confirmed."""
        try:
            self._declare(queue)
            confirmations = self._confirmations or Confirmations(self._connection)
            self._confirmations = confirmations
            producer = self._app.amqp.Producer(self._connection.default_channel, auto_declare=False)
            for message in messages:
                confirmations.expect(message)
                self._app.send_task(
                    TASK,
                    [[str(job) for job in message.jobs]],
                    task_id=str(message.jobs[0] if len(message.jobs) == 1 else uuid.uuid4()),
                    queue=queue,
                    producer=producer,
                    retry=False,
                    headers={"jobs": [str(job) for job in message.jobs]},
                    declare=[],
                    mandatory=True,  # or RabbitMQ confirms what it has thrown away: the queue is gone
                )
            return confirmations.confirmed()
        except Exception:
            self._connection.collect()  # without a good-bye: a broker in alarm answers none
            self._confirmations = None
            self._declared.clear()
            raise

    def _declare(self, queue: str) -> None:
        if queue not in self._declared:
            QUEUES[queue](self._connection.default_channel).declare()
            self._declared.add(queue)


class Confirmations:
    """Waits once for all messages of a batch; kombu's `confirm_publish` waits after each of them.

    A server of the Redis protocol has answered each command by the time it returns.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = 0  # the broker counts from 1 on each channel
        self._open: dict[int, Message] = {}
        self._confirmed: list[Message] = []
        if speaks_amqp(connection):
            channel: Any = connection.default_channel
            channel.events["basic_ack"].add(self._confirm)
            channel.events["basic_nack"].add(self._close)
            channel.confirm_select()

    def expect(self, message: Message) -> None:
        """Count the message that is to be published next."""
        self._last += 1
        self._open[self._last] = message

    def confirmed(self) -> Sequence[Message]:
        """Return what the broker has confirmed, once it has answered every message.

        Raises:
            TimeoutError: it says nothing for 3 s.
        """
        while self._open and speaks_amqp(self._connection):
            self._connection.drain_events(timeout=ANSWER_SECONDS)
        done = [*self._confirmed, *self._open.values()]
        self._confirmed, self._open = [], {}
        return done

    def _confirm(self, tag: int, multiple: bool) -> None:
        self._confirmed += self._close(tag, multiple)

    def _close(self, tag: int, multiple: bool) -> list[Message]:
        tags = [each for each in self._open if each <= tag] if multiple else [tag]
        return [self._open.pop(each) for each in tags if each in self._open]
