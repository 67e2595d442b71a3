"""django-blocklist, as its documentation sets it up: its middleware, and its `update_blocklist`.

https://gitlab.com/paul_bissex/django-blocklist
"""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django_blocklist.middleware import BlocklistMiddleware
from django_blocklist.utils import remove_from_blocklist, update_blocklist

PASSED = HttpResponse()


class BlocklistPackage:
    def __init__(self) -> None:
        self.middleware = BlocklistMiddleware(  # type: ignore[no-untyped-call]  # of the package
            lambda _request: PASSED
        )

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        answer: HttpResponseBase = self.middleware(request)
        return None if answer is PASSED else answer

    def ban(self, network: str) -> None:
        update_blocklist({network}, reason="operator")

    def unban(self, network: str) -> None:
        remove_from_blocklist(network)
