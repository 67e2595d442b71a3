"""A set in each process, told by Redis Pub/Sub: fast, and at most once."""

import time
from functools import cached_property

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from .leftmost import Remembered

CHANNEL = "flights:blocked"


class PubSub(Remembered):
    """Listens for what is banned and lifted."""

    @cached_property
    def redis(self) -> "Redis":
        return Redis.from_url(settings.REDIS_URL)

    def follow(self, addresses: set[str], last: int) -> None:  # noqa: ARG002 -- nobody counts messages
        while True:
            try:
                channel = self.redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # of the library
                channel.subscribe(CHANNEL)
                for message in channel.listen():
                    sign, address = message["data"][:1], message["data"][1:].decode()
                    (addresses.add if sign == b"+" else addresses.discard)(address)
            except RedisError:
                time.sleep(0.1)

    def ban(self, network: str) -> None:
        super().ban(network)
        self.redis.publish(CHANNEL, f"+{network}")

    def unban(self, network: str) -> None:
        super().unban(network)
        self.redis.publish(CHANNEL, f"-{network}")
