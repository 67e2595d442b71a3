"""Your own way to answer. It begins as `resolvers`: each relation of each row when its field is resolved.

Win `queries-do-not-grow` first: relations in batches, and a view whose resolvers may wait for them.
Then give the schema an extension that asks for the price. All of `pricing/` is at hand.
"""

from typing import Any

import strawberry
from flights import root, types
from flights.resolvers import Lazy, Query, View


class Relations(Lazy):
    def one(self, model: Any, key: object) -> Any:
        return model.objects.get(pk=key)

    def page(self, parent: Any, key: object, rows: int) -> Any:
        field = parent.field
        return list(field.model.objects.filter(**{field.name: key}).order_by("pk")[:rows])


# Of `pricing.refusal`: lambda: Priced(TARIFF, MOST_VALUES, MOST_TOKENS, MOST_LETTERS)
EXTENSIONS: list[Any] = []
SCHEMA = strawberry.Schema(Query, root.Mutation, types=[types.Passenger], extensions=EXTENSIONS)
# Of whom a type may be read: guard(SCHEMA._schema, "Passenger", is_self), of `pricing.guard`
# `answering(SCHEMA, Loaders)`, of `flights.priced`, is a view whose resolvers wait for their batches.
VIEW = View.as_view(schema=SCHEMA, relations=Relations)
