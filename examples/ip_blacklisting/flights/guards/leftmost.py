"""The middleware of most tutorials: the first hop of X-Forwarded-For, and a query for each request."""

import threading
from functools import cached_property

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from flights.models import BlockedAddress

from . import forbidden


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

    def ban(self, network: str) -> None:
        BlockedAddress.objects.get_or_create(address=network)

    def unban(self, network: str) -> None:
        BlockedAddress.objects.filter(address=network).delete()


class Remembered(Leftmost):
    """A set in each process: reads the rows once, at the first request, and then follows in a thread."""

    @cached_property
    def addresses(self) -> set[str]:
        rows = dict(BlockedAddress.objects.values_list("pk", "address"))
        given = (found := set(rows.values()), max(rows, default=0))
        threading.Thread(target=self.follow, args=given, daemon=True).start()
        return found

    def follow(self, addresses: set[str], last: int) -> None:
        """Keep the addresses up to date, of which *last* is the highest number."""
        raise NotImplementedError

    def blocked(self, address: str) -> bool:
        return address in self.addresses
