"""What the keeper asks of a broker: how many messages wait."""

from collections.abc import Mapping
from typing import Any

from amqp.exceptions import AMQPError
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from .broker import patient, speaks_amqp
from .topology import QUEUES


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
