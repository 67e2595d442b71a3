"""The fields of the root that the variants with strawberry have in common: where each query begins."""

import re
from typing import Any

import strawberry

from . import models
from .bookings import change_seat, sign_in
from .context import TARIFF
from .types import Airport, Asked, Booking, Flight, Node, Passenger

KEY = re.compile("[1-9][0-9]{0,17}")  # int() also reads ` 1`, `1_0` and digits of other scripts


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
    if named != kind or not KEY.fullmatch(key):
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
        return context.relations.change(change_seat, key, seat, context.caller)
