"""What the keeper asks of a broker: how many messages wait."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from amqp.exceptions import AMQPError, NotFound
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
            return {name: self._waiting(name) for name in QUEUES}
        except (OperationalError, OSError, AMQPError, RedisError):
            self._connection.collect()
            return None

    def _waiting(self, queue: str) -> int:
        channel: Any
        if not speaks_amqp(self._connection):
            channel = self._connection.default_channel
            return int(channel._size(queue))
        with suppress(NotFound), self._connection.channel() as channel:  # a refusal closes it
            return int(channel.queue_declare(queue, passive=True).message_count)
        return 0  # it is gone with all that it held
