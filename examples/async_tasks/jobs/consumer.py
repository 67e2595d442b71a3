"""Celery's consumer, but it comes back, within a second."""

import logging
from typing import Any, Final

from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

logger = logging.getLogger(__name__)

FOR_EVER: Final = None


def forgotten(*_: Any, **__: Any) -> None:
    """Acknowledge nothing: the broker gives the message out again, and its job's row has ended."""


class JobConsumer(Consumer):
    """Set as `worker_consumer`."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc,valid-type]  # of the stubs
        """Without Celery's own queues for delays: the outbox delays.

        Celery declares 28 of them on each broker at each connection, and waits for a broker that is away.
        """

        default_steps = tuple(
            step for step in Consumer.Blueprint.default_steps if "delayed_delivery" not in str(step)
        )

    def ensure_connected(self, conn: Any) -> Any:
        """Connect; between tries Celery itself pauses for up to 30 s, however soon the broker is back."""
        connected = conn.ensure_connection(
            lambda error, _seconds: logger.warning("no broker: %s", error),
            FOR_EVER,
            interval_start=0.2,
            interval_step=0.2,
            interval_max=1,
            callback=maybe_shutdown,
        )
        self.first_connection_attempt = False
        self.broker_connection_retry_attempt = 0
        return connected

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Leave what is unacknowledged to the broker, and to the sweep.

        Over the Redis protocol kombu would put it back itself, and later acknowledge what was done by then,
        through the connection that is gone; the AttributeError of either ends the worker.
        """
        if self.connection is not None:
            for channel in getattr(self.connection.transport, "channels", ()):
                channel.do_restore = False
                channel.basic_ack = channel.basic_reject = forgotten
        super().on_connection_error_after_connected(exc)

    def register_with_event_loop(self, hub: Any) -> None:
        """Look each second for children that were killed; Celery itself looks every five."""
        super().register_with_event_loop(hub)
        hub.call_repeatedly(1, self.pool.maintain_pool)
