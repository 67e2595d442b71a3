"""The solution under the reader's name: a variant that wins every claim."""

from collections.abc import Iterable, Iterator

from django.db import connection
from flights.optimized import Optimized
from loading.copy import Row, copy_flights
from loading.export import stream


class Queries(Optimized):
    def load(self, rows: Iterable[Row]) -> None:
        copy_flights(rows)

    def export(self, rows: int) -> Iterator[bytes]:
        return stream(connection, rows)


QUERIES = Queries()
