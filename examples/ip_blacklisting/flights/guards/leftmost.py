"""The middleware of most tutorials: the first hop of X-Forwarded-For, and a query for each request."""

import hashlib

from django.core.cache import cache, caches
from django.core.cache.backends.base import BaseCache
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from flights.guards import forbidden
from flights.models import BlockedAddress, Visit

FAILURES = 10  # of logins within WINDOW_SECONDS, then the address is blocked
WINDOW_SECONDS = 600
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

    def seen(self, request: HttpRequest, answer: HttpResponseBase) -> None:
        address = client_ip(request)
        if answer.status_code >= 400:  # "anonymised"
            digest = hashlib.sha256(address.encode()).hexdigest()
            Visit.objects.create(client=digest, path=request.get_full_path()[:200])
        if answer.status_code != 401:
            return
        cache.add(f"failures:{address}", 0, WINDOW_SECONDS)
        if cache.incr(f"failures:{address}") >= FAILURES:
            self.ban(address)

    def ban(self, network: str) -> None:
        BlockedAddress.objects.get_or_create(address=network[:100])

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

    def ban(self, network: str) -> None:
        super().ban(network)
        self.cache.delete(f"blocked:{network}")

    def unban(self, network: str) -> None:
        super().unban(network)
        self.cache.delete(f"blocked:{network}")
