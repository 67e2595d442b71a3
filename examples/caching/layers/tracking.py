"""The connection on which a process hears of purges: Redis publishes each with the purge itself.

https://redis.io/docs/latest/develop/pubsub/ (2026-11)
"""

import logging
import threading
import time
from typing import Any, Final

from redis import Redis

from .local_layer import LocalLayer
from .tags import CHANNEL, Tags, leave_demoted

logger = logging.getLogger(__name__)

SILENCE_SECONDS: Final = 0.25


class Tracking(threading.Thread):
    """Empties the local layer of what was purged; reconnects for ever, and forgets before it does.

    Where nothing is heard for a while it purges nothing, and has to hear that: a server that answers
    but takes no writes would take no purge either. One beat is heard by all processes.
    """

    def __init__(self, layer: LocalLayer, redis: "Redis") -> None:
        super().__init__(name="tracking", daemon=True)
        self._layer, self._redis, self._tags = layer, redis, Tags(redis)
        self._reason = ""  # why there is no local layer, as it was logged

    def run(self) -> None:
        while True:
            try:
                self._follow()
            except Exception as error:
                self._layer.clear(up=False)
                leave_demoted(self._redis, error)
                if str(error) != self._reason:
                    logger.warning("the local layer is bypassed: %s", error)
                self._reason = str(error)
            time.sleep(SILENCE_SECONDS)

    def _follow(self) -> None:
        with self._redis.pubsub() as purges:  # type: ignore[no-untyped-call]  # of the library
            purges.subscribe(CHANNEL)
            asked = False
            while True:
                message = purges.get_message(timeout=SILENCE_SECONDS)
                if message is None and asked:
                    raise ConnectionError("Redis is silent")
                if asked := message is None:
                    self._tags.purge(())
                else:
                    self._heard(message)

    def _heard(self, message: Any) -> None:
        if message["type"] == "subscribe":  # from here on no purge is missed
            self._layer.clear(up=True)
            self._reason = ""
        else:
            self._layer.purge(message["data"].decode().split())
