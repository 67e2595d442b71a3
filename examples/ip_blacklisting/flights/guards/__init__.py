"""Ways to keep somebody out, each called before a request of its own path."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from shield.addresses import Address

from flights.asked import Ban


class Guard(Protocol):
    """One way to keep somebody out, and its list."""

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        """Return the answer to a request that is refused."""
        ...

    def ban(self, asked: Ban) -> None: ...
    def unban(self, network: str) -> None: ...


@runtime_checkable
class TakesFeeds(Guard, Protocol):
    """One that also takes a list from elsewhere, and says whom it refuses."""

    def replace(self, name: str, data: bytes, *, force: bool) -> dict[str, object]:
        """Put a feed in the place of its last version, and report what was left out.

        Raises:
            ValueError: the list is refused as a whole.
        """
        ...

    def drop(self, name: str) -> None: ...
    def refuses(self, addresses: Sequence[Address]) -> list[bool]: ...


def forbidden() -> HttpResponse:
    return HttpResponse("Forbidden", status=403)
