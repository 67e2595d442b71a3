"""The solution under the reader's name: a variant that wins every claim."""

from collections.abc import Iterable, Iterator

from django.db import connection
from flights.optimized import Optimized
from loading.export import stream
from loading.ways import Row, copy


class Queries(Optimized):
    def load(self, rows: Iterable[Row]) -> None:
        copy(rows)

    def export(self, rows: int) -> Iterator[bytes]:
        return stream(connection, rows)


QUERIES = Queries()
