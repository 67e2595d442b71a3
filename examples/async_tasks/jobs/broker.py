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


def publisher(app: Celery) -> Callable[[Sequence[Message]], None]:
    """Return what publishes for the relay, over one connection that is made anew after a failure."""
    connection: Connection = app.connection_for_write(connect_timeout=CONNECT_SECONDS)
    declared = False

    def publish(messages: Sequence[Message]) -> None:
        nonlocal declared
        try:
            producer = app.amqp.Producer(connection.default_channel, auto_declare=False)
            if not declared:
                declare(connection)
                declared = True
            for message in messages:
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
        except Exception:
            connection.close()
            declared = False
            raise

    return publish


def declare(connection: Connection) -> None:
    """Declare every queue, the dead ones first."""
    channel = connection.default_channel
    if connection.transport.driver_type == "amqp":
        DEAD(channel).declare()
    for queue in QUEUES:
        queue(channel).declare()


def depths(app: Celery) -> dict[str, int] | None:
    """Return how many messages wait in each queue, those with a worker not counted; None without a broker."""
    try:
        with app.connection_for_read(connect_timeout=CONNECT_SECONDS) as connection:
            channel: Any = connection.default_channel
            if connection.transport.driver_type != "amqp":
                return {queue.name: int(channel._size(queue.name)) for queue in QUEUES}
            found = {}
            for queue in QUEUES:
                found[queue.name] = channel.queue_declare(queue.name, passive=True).message_count
            return found
    except (OperationalError, OSError, AMQPError, RedisError):
        return None


def dead_letters(app: Celery, bury: Callable[[Any, Any], None]) -> Callable[[], None]:
    """Return what hands each message of the dead-letter queue to *bury*, and acknowledges it after that."""
    connection: Connection | None = None

    def drain(timeout_seconds: float = 0.05) -> None:
        nonlocal connection
        if connection is None:
            connection = app.connection_for_read(connect_timeout=CONNECT_SECONDS)
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
