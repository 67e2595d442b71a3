"""What the solution asks of a broker: to confirm messages, to count them, to give back the dead ones."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from amqp.exceptions import AMQPError
from celery import Celery
from kombu import Connection, Consumer
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from .outbox import Message
from .topology import DEAD, QUEUES

TASK: Final = "jobs.run"
CONNECT_SECONDS: Final = 2
ANSWER_SECONDS: Final = 5


def publisher(app: Celery) -> Callable[[Sequence[Message]], None]:
    """Return what publishes for the relay, over one connection that is made anew after a failure."""
    connection: Connection = patient(app.connection_for_write, confirm_publish=False)
    confirmations: Confirmations | None = None

    def publish(messages: Sequence[Message]) -> None:
        nonlocal confirmations
        try:
            producer = app.amqp.Producer(connection.default_channel, auto_declare=False)
            if confirmations is None:
                declare(connection)
                confirmations = Confirmations(connection)
            for message in messages:
                confirmations.expect()
                app.send_task(
                    TASK,
                    [str(message.job)],
                    task_id=str(message.job),
                    queue=message.queue,
                    producer=producer,
                    retry=False,
                    headers={"correlation": message.correlation},
                    declare=[],
                )
            confirmations.wait()
        except Exception:
            connection.close()
            confirmations = None
            raise

    return publish


class Unconfirmed(Exception):
    """The broker has refused a message."""


class Confirmations:
    """Waits once for all messages of a batch; kombu's `confirm_publish` waits after each of them.

    A server of the Redis protocol has answered each command by the time it returns.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = 0  # the broker counts from 1 on each channel
        self._open: set[int] = set()
        self._refused = False
        self._counted = connection.transport.driver_type == "amqp"
        if self._counted:
            channel: Any = connection.default_channel
            channel.events["basic_ack"].add(self._close)
            channel.events["basic_nack"].add(self._refuse)
            channel.confirm_select()

    def expect(self) -> None:
        """Count the message that is to be published next."""
        if self._counted:
            self._last += 1
            self._open.add(self._last)

    def wait(self) -> None:
        """Return when the broker has confirmed every message.

        Raises:
            Unconfirmed: it has refused one.
            TimeoutError: it confirms none for 5 s.
        """
        while self._open:
            self._connection.drain_events(timeout=ANSWER_SECONDS)
        if self._refused:
            raise Unconfirmed("the broker has refused a message")

    def _close(self, tag: int, multiple: bool) -> None:
        self._open -= set(range(min(self._open, default=tag), tag + 1)) if multiple else {tag}

    def _refuse(self, tag: int, multiple: bool) -> None:
        self._refused = True
        self._close(tag, multiple)


def declare(connection: Connection) -> None:
    """Declare every queue, the dead ones first."""
    channel = connection.default_channel
    if connection.transport.driver_type == "amqp":
        DEAD(channel).declare()
    for queue in QUEUES:
        queue(channel).declare()


def depths(app: Celery) -> Callable[[], dict[str, int] | None]:
    """Return what counts the messages in each queue that no worker has; None without a broker."""
    connection: Connection = patient(app.connection_for_read)

    def count() -> dict[str, int] | None:
        try:
            channel: Any = connection.default_channel
            if connection.transport.driver_type != "amqp":
                return {queue.name: int(channel._size(queue.name)) for queue in QUEUES}
            return {
                queue.name: channel.queue_declare(queue.name, passive=True).message_count
                for queue in QUEUES
            }
        except (OperationalError, OSError, AMQPError, RedisError):
            connection.close()
            return None

    return count


def patient(connect: Callable[..., Connection], **options: Any) -> Connection:
    """Return a connection on which a frozen broker is an error after some seconds, not a wait for ever."""
    limits = ("read_timeout", "write_timeout", "socket_timeout")  # the last one is of Redis
    options |= dict.fromkeys(limits, ANSWER_SECONDS)
    return connect(connect_timeout=CONNECT_SECONDS, transport_options=options)


def dead_letters(app: Celery, bury: Callable[[Any, Any], None]) -> Callable[[], None]:
    """Return what hands each message of the dead-letter queue to *bury*, and acknowledges it after that."""
    connection: Connection | None = None

    def drain(timeout_seconds: float = 0.05) -> None:
        nonlocal connection
        if connection is None:
            connection = patient(app.connection_for_read)
            if connection.transport.driver_type != "amqp":
                return
            declare(connection)

            def on_message(message: Any) -> None:
                bury(message.body, message.headers)
                message.ack()

            Consumer(connection.default_channel, [DEAD], on_message=on_message).consume()
        if connection.transport.driver_type != "amqp":
            return
        try:
            while True:
                connection.drain_events(timeout=timeout_seconds)
        except TimeoutError:
            connection.heartbeat_check()
        except Exception:
            connection.close()
            connection = None
            raise

    return drain
