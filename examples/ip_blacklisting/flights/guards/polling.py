"""A set in each process, which asks the database for newer rows: right as long as numbers only grow."""

import threading
import time
from functools import cached_property

from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from flights.models import BlockedAddress

from . import forbidden
from .leftmost import Leftmost, client_ip

PAUSE_SECONDS = 0.5


class Polling(Leftmost):
    """Reads the rows once, at the first request, and then those with a higher number."""

    @cached_property
    def addresses(self) -> set[str]:
        found: set[str] = set()
        last = self.newer(found, 0)
        threading.Thread(target=self.follow, args=(found, last), daemon=True).start()
        return found

    def follow(self, addresses: set[str], last: int) -> None:
        while True:
            time.sleep(PAUSE_SECONDS)
            try:
                last = self.newer(addresses, last)
            except DatabaseError:
                connection.close()

    def newer(self, addresses: set[str], last: int) -> int:
        rows = BlockedAddress.objects.filter(pk__gt=last).order_by("pk")
        for last, address in rows.values_list("pk", "address"):  # noqa: B007 -- the highest is kept
            addresses.add(address)
        return last

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        return forbidden() if client_ip(request) in self.addresses else None
