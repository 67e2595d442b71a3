"""The connection on which a process hears of purges: Redis publishes each with the purge itself.

It decides whether Redis is asked at all: what cannot be purged is not trusted.
https://redis.io/docs/latest/develop/pubsub/ (2026-11)
"""

import threading
import time
from typing import Final

from redis import Redis

from .local_layer import LocalLayer
from .redis_layer import CHANNEL, RedisLayer, bypassed

SILENCE_SECONDS: Final = 0.25


def track(layer: LocalLayer, redis: "Redis") -> None:
    """Tell *layer* what is purged, in a thread; return once Redis was heard or has failed."""
    settled = threading.Event()

    def track_for_ever() -> None:
        while True:
            try:
                follow(layer, redis, settled)
            except Exception as error:
                layer.clear(up=False)
                # A read of what is fresh writes nothing, so it would stay with a server that was demoted.
                redis.connection_pool.disconnect(inuse_connections=False)
                redis.connection_pool.update_active_connections_for_reconnect()
                bypassed(str(error))
                settled.set()
            time.sleep(SILENCE_SECONDS)

    threading.Thread(target=track_for_ever, name="tracking", daemon=True).start()
    settled.wait(3)


def follow(layer: LocalLayer, redis: "Redis", settled: threading.Event) -> None:
    """Hear what Redis publishes; after a silence purge nothing, which has to be heard.

    A server that answers but takes no writes would take no purge either. All processes hear one beat.
    """
    beat, asked = RedisLayer(redis).purge, False
    with redis.pubsub() as purges:  # type: ignore[no-untyped-call]  # of the library
        purges.subscribe(CHANNEL)
        while True:
            message = purges.get_message(timeout=SILENCE_SECONDS)
            if message is None and (asked or not beat(())):
                raise ConnectionError("Redis is silent")
            asked = message is None
            if message and message["type"] == "subscribe":  # from here on no purge is missed
                layer.clear(up=True)
                bypassed.cache_clear()
                settled.set()
            elif message:
                layer.purge(message["data"].decode().split())
