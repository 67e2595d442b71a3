"""Eight ways to keep somebody out, each called before and after a request of its own path."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase


class Guard(Protocol):
    """One way to keep somebody out."""

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        """Return the answer to a request that is refused."""
        ...

    def seen(self, request: HttpRequest, answer: HttpResponseBase) -> None:
        """Learn from the answer to a request that was let in."""
        ...


@runtime_checkable
class TakesBans(Guard, Protocol):
    """One whose list is changed by its own means; that of the solution has an API, `bans.api`."""

    def ban(self, network: str) -> None: ...
    def unban(self, network: str) -> None: ...


@runtime_checkable
class TakesFeeds(Guard, Protocol):
    """One that also takes a list from elsewhere."""

    def replace(self, name: str, lines: Iterable[str]) -> dict[str, object]:
        """Put a feed in the place of its last version, and report what was left out.

        Raises:
            ValueError: the list is refused as a whole.
        """
        ...

    def drop(self, name: str) -> None: ...


def forbidden() -> HttpResponse:
    return HttpResponse("Forbidden", status=403)
