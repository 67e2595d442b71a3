"""What the keeper asks of a broker: how many messages wait, and which ones it has given up."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from amqp.exceptions import AMQPError
from celery import Celery
from kombu import Connection, Consumer
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from .broker import patient, speaks_amqp
from .topology import DEAD, QUEUES

DRAIN_SECONDS: Final = 0.05


class Depths:
    """Counts the messages in each queue that no worker has."""

    def __init__(self, app: Celery) -> None:
        self._connection = patient(app.connection_for_read)

    def __call__(self) -> Mapping[str, int] | None:
        """Return them by queue; None: no broker answers."""
        try:
            channel: Any = self._connection.default_channel
            if speaks_amqp(self._connection):
                return {
                    name: channel.queue_declare(name, passive=True).message_count for name in QUEUES
                }
            return {name: int(channel._size(name)) for name in QUEUES}
        except (OperationalError, OSError, AMQPError, RedisError):
            self._connection.close()
            return None


class DeadLetters:
    """Hands each message of the dead-letter queue to *bury*, and acknowledges it after that."""

    def __init__(self, app: Celery, bury: Callable[[Any, Any], None]) -> None:
        self._app = app
        self._bury = bury
        self._connection: Connection | None = None  # until its consumer has begun

    def __call__(self) -> None:
        """Take what has come; a connection that fails at any point is begun anew by the next call."""
        if not self._app.conf.broker_url.startswith("amqp"):
            return  # the Redis protocol has no dead letters
        try:
            if self._connection is None:
                self._connection = self._begun()
            while True:
                self._connection.drain_events(timeout=DRAIN_SECONDS)
        except TimeoutError:
            if self._connection is None:
                raise
            self._connection.heartbeat_check()
        except Exception:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            raise

    def _begun(self) -> Connection:
        connection = patient(self._app.connection_for_read)
        try:
            DEAD(connection.default_channel).declare()
            Consumer(connection.default_channel, [DEAD], on_message=self._taken).consume()
        except Exception:
            connection.close()
            raise
        return connection

    def _taken(self, message: Any) -> None:
        self._bury(message.body, message.headers)
        message.ack()
