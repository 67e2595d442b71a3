"""The types of the variants with strawberry, and a resolver for each relation as its docs show it."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.types import Info

from . import models
from .context import TARIFF, Context

type Asked = Info[Context, None]


def one(model: Any, key: str) -> Any:
    """A field that answers the row of `model` whose key is the attribute `key`."""

    def resolve(root: strawberry.Parent[Any], info: Asked) -> Any:
        return info.context.relations.one(model, getattr(root, key))

    return strawberry.field(resolver=resolve)


def page(parent: Any) -> Any:
    """A field that answers the first rows of those whose foreign key `parent` leads here."""

    def resolve(root: strawberry.Parent[Any], info: Asked, first: int | None = 20) -> Any:
        return info.context.relations.page(parent, root.pk, TARIFF.rows(first))

    return strawberry.field(resolver=resolve)


@strawberry.interface
class Node:
    """What has an id that is told from all others: `Flight:1`."""

    @strawberry.field
    def id(root: strawberry.Parent[Any]) -> strawberry.ID:  # noqa: N805 -- a row, no instance
        return strawberry.ID(f"{type(root).__name__}:{root.pk}")

    @classmethod
    def is_type_of(cls, row: Any, _info: Any) -> bool:
        return type(row).__name__ == cls.__name__


@strawberry.type
class Airline:
    code: str
    name: str


@strawberry.type
class Airport:
    code: str
    name: str
    departures: list["Flight"] = page(models.Flight.origin)
    arrivals: list["Flight"] = page(models.Flight.destination)


@strawberry.type
class Flight(Node):
    number: int
    scheduled_departure: datetime
    airline: Airline = one(models.Airline, "airline_id")
    origin: Airport = one(models.Airport, "origin_id")
    destination: Airport = one(models.Airport, "destination_id")
    bookings: list["Booking | None"] = page(models.Booking.flight)


@strawberry.type
class Booking(Node):
    reference: str | None
    seat: str | None
    flight: Flight | None = one(models.Flight, "flight_id")
    passenger: "Passenger | None" = one(models.Passenger, "passenger_id")


@strawberry.type
class Passenger(Node):
    name: str | None
    email: str | None
    passport: str | None
    bookings: list[Booking | None] | None = page(models.Booking.passenger)
