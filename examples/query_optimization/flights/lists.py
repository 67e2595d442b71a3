"""The lists: what each is called, what may be asked, and an address to begin with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from . import asked, shapes
from .models import Airline, Airport, Flight
from .problems import BadInput
from .variants import Queries


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
    answer: Callable[[Queries, Mapping[str, Any]], dict[str, Any]]
    example: str
    rows: str = "limit"


def board(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    found = shapes.board(queries.board(asked["origin"], asked["day"], asked["limit"]))
    return {"departures": found or known(queries, asked["origin"])}


def airline(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = queries.airline(asked["code"], asked["limit"])
    except Airline.DoesNotExist:
        raise BadInput(f"no such airline: {asked['code']}") from None
    return {"airline": shapes.airline(*found)}


def planes(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"planes": shapes.planes(queries.planes(asked["limit"]))}


def delays(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    route = asked["origin"], asked["destination"]
    found = shapes.delays(queries.delays(*route, asked["minutes"], asked["limit"]))
    return {"delayed": found or known(queries, *route)}


def departed(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"departed": shapes.board(queries.departed(**asked))}


def airports(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"airports": shapes.airports(queries.airports(asked["text"], asked["limit"]))}


def report(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    found = shapes.report(queries.report(asked["month"]))
    first, last = asked["month"].range
    flights = Flight.objects.using(queries.database)
    if not found and not flights.filter(scheduled_departure__range=(first, last)).exists():
        raise BadInput(f"month: no flight is known in {first:%Y-%m}")
    return {"airports": found}


def pages(queries: Queries, asked: Mapping[str, Any]) -> dict[str, Any]:
    page = queries.pages(**asked)
    return {
        "flights": shapes.pages(page.rows),
        "next": page.following and f"?size={asked['size']}&{page.following}",
        "previous": page.previous and f"?size={asked['size']}&{page.previous}",
    }


def known(queries: Queries, *codes: str) -> list[Any]:
    """Return no rows, once it is sure that their airports exist: only an empty answer asks.

    Raises:
        BadInput: one of them does not.
    """
    airports = Airport.objects.using(queries.database).filter(code__in=codes)
    if missing := set(codes) - set(airports.values_list("code", flat=True)):
        raise BadInput(f"no such airport: {', '.join(sorted(missing))}")
    return []


LISTS = (
    List(
        "board",
        "departures of an airport on a day (UTC), with airline, destination and plane",
        asked.BoardAsked,
        board,
        "origin=JFK&day=2013-07-01",
    ),
    List(
        "airline",
        "an airline with its latest flights, with destination and plane",
        asked.AirlineAsked,
        airline,
        "code=UA",
    ),
    List(
        "planes",
        f"planes, each with its latest {shapes.LATEST} flights",
        asked.PlanesAsked,
        planes,
        "",
    ),
    List(
        "delays",
        "the most delayed flights of a route",
        asked.DelaysAsked,
        delays,
        "origin=JFK&destination=LAX&minutes=60",
    ),
    List(
        "departed",
        "flights that left within some minutes, whenever they should have",
        asked.DepartedAsked,
        departed,
        "since=2013-07-01T10:00:00Z&minutes=720",
    ),
    List(
        "airports",
        "airports whose name contains a text",
        asked.AirportsAsked,
        airports,
        "text=international",
    ),
    List(
        "report",
        "flights, cancellations, mean delay and wet hours of each airport in a month (UTC)",
        asked.ReportAsked,
        report,
        "month=2013-07",
        rows="",
    ),
    List("pages", "all flights, newest first, page by page", asked.PagesAsked, pages, "", "size"),
)
