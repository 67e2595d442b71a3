"""The types of the variants with strawberry, and a resolver for each relation as its docs show it."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.types import Info

from . import models
from .bookings import change_seat, sign_in
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


def first_rows(model: Any, rows: int) -> list[Any]:
    return list(model.objects.all()[:rows])


def rows(model: Any) -> Any:
    """A field of the root that answers the first rows of a table, in its order."""

    def resolve(info: Asked, first: int | None = 20) -> Any:
        return info.context.relations.run(first_rows, model, TARIFF.rows(first))

    return strawberry.field(resolver=resolve)


def key_of(node: str, kind: str) -> int:
    """Return the key within an id such as `Booking:1`."""
    named, _, key = node.partition(":")
    if named != kind:
        raise ValueError(f"{node!r} is no id of a {kind}")
    return int(key)


@strawberry.type
class Query:
    flights: list[Flight] = rows(models.Flight)
    airports: list[Airport] = rows(models.Airport)

    @strawberry.field(graphql_type=Booking | None)  # type: ignore[untyped-decorator] # of a union
    def booking(self, info: Asked, id: strawberry.ID) -> Any:  # noqa: A002 -- GraphQL calls it so
        return info.context.relations.one(models.Booking, key_of(id, "Booking"))

    @strawberry.field(graphql_type=Node | None)  # type: ignore[untyped-decorator] # of a union
    def node(self, info: Asked, id: strawberry.ID) -> Any:  # noqa: A002 -- GraphQL calls it so
        kind = {"Flight": models.Flight, "Booking": models.Booking, "Passenger": models.Passenger}
        named = id.partition(":")[0]
        return info.context.relations.one(kind[named], key_of(id, named))

    @strawberry.field(graphql_type=Passenger | None)  # type: ignore[untyped-decorator] # of a union
    def me(self, info: Asked) -> Any:
        caller = info.context.caller
        return caller and info.context.relations.one(models.Passenger, caller)


@strawberry.type
class Mutation:
    @strawberry.mutation(graphql_type=str | None)  # type: ignore[untyped-decorator] # of a union
    def sign_in(self, info: Asked, name: str, reference: str) -> Any:
        return info.context.relations.run(sign_in, name, reference)

    @strawberry.mutation(graphql_type=Booking | None)  # type: ignore[untyped-decorator] # of a union
    def change_seat(self, info: Asked, booking: strawberry.ID, seat: str) -> Any:
        context = info.context
        key = key_of(booking, "Booking")
        return context.relations.run(change_seat, key, seat, context.caller)
