"""The ways, by name: the naive ones first, then what is commonly done, and the solution last."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from importlib import import_module
from typing import Any, Protocol

from django.conf import settings
from queries.keyset import Page

from .eager import Eager
from .fetch_peers import FetchPeers
from .models import Airport, Flight, Plane
from .naive import Naive
from .optimized import Optimized
from .or_keyset import OrKeyset
from .shapes import Departure, Month, ReportRow


class Queries(Protocol):
    """What each way answers; `database` is the alias of the connections that it uses."""

    database: str

    def board(self, origin: str, day: date, limit: int) -> Iterable[Departure]: ...
    def planes(self, limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]: ...
    def delays(
        self, origin: str, destination: str, minutes: int, limit: int
    ) -> Iterable[Flight]: ...
    def departed(self, since: datetime, minutes: int, limit: int) -> Iterable[Departure]: ...
    def airports(self, text: str, limit: int) -> Iterable[Airport]: ...
    def report(self, month: Month) -> Iterable[ReportRow]: ...
    def pages(self, size: int, order: str = "newest", **position: Any) -> Page[Flight]: ...


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    about: str
    queries: Queries


VARIANTS: tuple[Variant, ...] = (
    Variant("naive", "lazy relations, page numbers, filters that no index holds", Naive()),
    Variant("eager", "the same, with every relation loaded in advance", Eager()),
    Variant("fetch_peers", "the same, with the fetch modes of Django 6.1", FetchPeers()),
    Variant("or_keyset", "naive, with pages by a position spelt out with OR", OrKeyset()),
    Variant("optimized", "a fixed number of queries that read what they return", Optimized()),
)
if settings.MINE:  # the reader's own: "Now you" in README.md
    VARIANTS += (Variant("mine", "your own", import_module(settings.MINE).QUERIES),)
