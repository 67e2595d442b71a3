"""A set in each process, which asks the database for newer rows: right as long as numbers only grow."""

import time

from django.db import DatabaseError, connection

from flights.models import BlockedAddress

from .leftmost import Remembered

PAUSE_SECONDS = 0.5


class Polling(Remembered):
    """Asks for the rows with a higher number."""

    def follow(self, addresses: set[str], last: int) -> None:
        while True:
            try:
                rows = BlockedAddress.objects.filter(pk__gt=last).order_by("pk")
                for last, address in rows.values_list("pk", "address"):  # noqa: B007 -- the highest is kept
                    addresses.add(address)
            except DatabaseError:
                connection.close()
            time.sleep(PAUSE_SECONDS)
