"""The lists: what each is called, what may be asked, and an address to begin with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from . import asked as may
from . import shapes
from .variants import Queries

type Answer = Callable[[Queries, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class List:
    """One list of the service.

    Attributes:
        example: a query string that it answers.
        rows: the parameter that says how many rows are wanted; empty if none does.
    """

    name: str
    about: str
    asked: type[serializers.Serializer[Any]]
    answer: Answer
    example: str
    rows: str = "limit"


LISTS: list[List] = []


def listed(asked: type[serializers.Serializer[Any]], *more: str) -> Callable[[Answer], Answer]:
    """Serve what a function answers under its name, with an example and the name of `rows`."""

    def add(answer: Answer) -> Answer:
        LISTS.append(List(answer.__name__, str(answer.__doc__), asked, answer, *more))
        return answer

    return add


@listed(may.BoardAsked, "origin=JFK&day=2013-07-01")
def board(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Departures of an airport on a day (UTC), with airline, destination and plane."""
    found = queries.board(asked["origin"], asked["day"], asked["limit"])
    return {"departures": shapes.board(found)}


@listed(may.Asked, "")
def planes(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Planes, each with its latest 3 flights."""
    return {"planes": shapes.planes(queries.planes(asked["limit"]))}


@listed(may.DelaysAsked, "origin=JFK&destination=LAX&minutes=60")
def delays(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The most delayed flights of a route."""
    route = asked["origin"], asked["destination"]
    found = queries.delays(*route, asked["minutes"], asked["limit"])
    return {"delayed": shapes.delays(found)}


@listed(may.DepartedAsked, "since=2013-07-01T10:00:00Z&minutes=720")
def departed(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Flights that left within some minutes, whenever they should have."""
    return {"departed": shapes.board(queries.departed(**asked))}


@listed(may.AirportsAsked, "text=international")
def airports(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Airports whose name contains a text."""
    return {"airports": shapes.airports(queries.airports(asked["text"], asked["limit"]))}


@listed(may.ReportAsked, "month=2013-07", "")
def report(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Flights, cancellations, mean delay and wet hours of each airport in a month (UTC)."""
    return {"airports": shapes.report(queries.report(asked["month"]))}


@listed(may.PagesAsked, "", "size")
def pages(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All flights, newest first, page by page."""
    page = queries.pages(**asked)
    return {
        "flights": shapes.pages(page.rows),
        "next": page.following and f"?size={asked['size']}&{page.following}",
        "previous": page.previous and f"?size={asked['size']}&{page.previous}",
    }
