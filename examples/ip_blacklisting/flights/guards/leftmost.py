"""The middleware of most tutorials: the first hop of X-Forwarded-For, and a query for each request."""

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from flights.asked import Ban
from flights.models import BlockedAddress

from . import forbidden

CACHED_SECONDS = 60


def client_ip(request: HttpRequest) -> str:
    forwarded: str | None = request.META.get("HTTP_X_FORWARDED_FOR")
    if forwarded:
        return forwarded.split(",")[0].strip()
    return str(request.META.get("REMOTE_ADDR"))


class Leftmost:
    """A row for each address."""

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        return forbidden() if self.blocked(client_ip(request)) else None

    def blocked(self, address: str) -> bool:
        return BlockedAddress.objects.filter(address=address).exists()

    def ban(self, asked: Ban) -> None:
        BlockedAddress.objects.get_or_create(address=asked.network)

    def unban(self, network: str) -> None:
        BlockedAddress.objects.filter(address=network).delete()


class Cached(Leftmost):
    """The same with a cache in front, as one does when the query shows in a profile.

    The cache of a process is `LocMemCache`, the shared one `RedisCache`; a change deletes the key.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias

    @property
    def cache(self) -> BaseCache:
        return caches[self.alias]

    def blocked(self, address: str) -> bool:
        return bool(
            self.cache.get_or_set(
                f"blocked:{address}", lambda: super(Cached, self).blocked(address), CACHED_SECONDS
            )
        )

    def ban(self, asked: Ban) -> None:
        super().ban(asked)
        self.cache.delete(f"blocked:{asked.network}")

    def unban(self, network: str) -> None:
        super().unban(network)
        self.cache.delete(f"blocked:{network}")
