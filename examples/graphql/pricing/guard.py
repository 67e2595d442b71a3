"""A guard at a type: whatever path led to an object, none of its fields is told to whom it does not concern.

A check in the field that leads there leaves every other way open: a foreign key, `node`, a mutation's answer.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from graphql import GraphQLError, GraphQLObjectType, GraphQLSchema, default_field_resolver

type May = Callable[[Any, Any], bool]


def guard(schema: GraphQLSchema, name: str, may: May) -> None:
    """Let the type called `name` be read only where `may(object, context)` says so."""
    guarded = schema.type_map[name]
    if not isinstance(guarded, GraphQLObjectType):
        raise TypeError(f"{name} has no fields to guard")
    for field in guarded.fields.values():
        field.resolve = _asked_first(field.resolve or default_field_resolver, may)


def _asked_first(resolve: Callable[..., Any], may: May) -> Callable[..., Any]:
    @wraps(resolve)
    def asked_first(source: Any, info: Any, **arguments: Any) -> Any:
        if not may(source, info.context):
            raise GraphQLError("Not yours.", extensions={"code": "FORBIDDEN"})
        return resolve(source, info, **arguments)

    return asked_first
