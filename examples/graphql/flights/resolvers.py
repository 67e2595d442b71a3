"""strawberry as its documentation begins: a resolver for each relation, permissions at the root.

https://strawberry.rocks/docs: Resolvers, Permissions, Django integration.
"""

from collections.abc import Callable
from typing import Any

import strawberry
from django.http import HttpRequest, HttpResponse
from strawberry.django.views import GraphQLView
from strawberry.permission import BasePermission

from . import models, root, types
from .context import Context, Relations
from .permissions import passenger_of


class Lazy:
    """Each relation of each row as its field is resolved: this is where 1 + N happens."""

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)

    change = run

    def one(self, model: Any, key: object) -> Any:
        return model.objects.get(pk=key)

    def page(self, parent: Any, key: object, rows: int) -> Any:
        field = parent.field
        return list(field.model.objects.filter(**{field.name: key}).order_by("pk")[:rows])


class IsOwner(BasePermission):
    """Whether the booking that is asked for is the caller's."""

    message = "Not yours."

    def has_permission(self, source: Any, info: Any, **arguments: Any) -> bool:  # noqa: ARG002 -- its names
        asked = models.Booking.objects.filter(pk=root.key_of(arguments["id"], "Booking"))
        return asked.filter(passenger=info.context.caller).exists()


@strawberry.type
class Query(root.Query):
    @strawberry.field(  # type: ignore[untyped-decorator] # of a union
        graphql_type=types.Booking | None, permission_classes=[IsOwner]
    )
    def booking(self, info: types.Asked, id: strawberry.ID) -> Any:  # noqa: A002 -- GraphQL calls it so
        return info.context.relations.one(models.Booking, root.key_of(id, "Booking"))


class View(GraphQLView):
    """Answers a schema; relations are made for each request."""

    relations: Callable[[], Relations] = Lazy

    def get_context(self, request: HttpRequest, response: HttpResponse) -> Any:  # noqa: ARG002 -- its names
        return Context(passenger_of(request.headers), self.relations())


schema = strawberry.Schema(Query, root.Mutation, types=[types.Passenger])
view = View.as_view(schema=schema)
