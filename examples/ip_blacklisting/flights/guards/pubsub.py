"""A set in each process, told by Redis Pub/Sub: fast, and at most once."""

import threading
import time
from functools import cached_property

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from redis import Redis
from redis.exceptions import RedisError

from flights.models import BlockedAddress

from . import forbidden
from .leftmost import Leftmost, client_ip

CHANNEL = "flights:blocked"


class PubSub(Leftmost):
    """Reads the rows once, at the first request, and then listens."""

    @cached_property
    def redis(self) -> "Redis":
        return Redis.from_url(settings.REDIS_URL)

    @cached_property
    def addresses(self) -> set[str]:
        found = set(BlockedAddress.objects.values_list("address", flat=True))
        threading.Thread(target=self.listen, args=(found,), daemon=True).start()
        return found

    def listen(self, addresses: set[str]) -> None:
        while True:
            try:
                channel = Redis.from_url(settings.REDIS_URL).pubsub(  # type: ignore[no-untyped-call]  # of the library
                    ignore_subscribe_messages=True
                )
                channel.subscribe(CHANNEL)
                for message in channel.listen():
                    sign, address = message["data"][:1], message["data"][1:].decode()
                    (addresses.add if sign == b"+" else addresses.discard)(address)
            except RedisError:
                time.sleep(0.1)

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        return forbidden() if client_ip(request) in self.addresses else None

    def ban(self, network: str) -> None:
        super().ban(network)
        self.redis.publish(CHANNEL, f"+{network}")

    def unban(self, network: str) -> None:
        super().unban(network)
        self.redis.publish(CHANNEL, f"-{network}")
