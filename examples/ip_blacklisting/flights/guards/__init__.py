"""Ways to keep somebody out, each called before a request of its own path."""

from typing import Protocol, runtime_checkable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase


class Guard(Protocol):
    """One way to keep somebody out, and its list."""

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        """Return the answer to a request that is refused."""
        ...

    def ban(self, network: str) -> None: ...
    def unban(self, network: str) -> None: ...


@runtime_checkable
class TakesFeeds(Guard, Protocol):
    """One that also takes a list from elsewhere."""

    def replace(self, name: str, data: bytes, *, force: bool) -> dict[str, object]:
        """Put a feed in the place of its last version, and report what was left out.

        Raises:
            Unfit: the list is refused as a whole.
        """
        ...


def forbidden() -> HttpResponse:
    return HttpResponse("Forbidden", status=403)
