"""The solution: batches, a price before anything runs, guards at the types, errors that tell nothing."""

import json
from collections.abc import Callable
from typing import Any

import strawberry
from asgiref.sync import async_to_sync
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST
from pricing.guard import guard
from pricing.loaders import Loaders
from pricing.refusal import Priced
from strawberry.extensions import DisableIntrospection
from strawberry.schema.exceptions import CannotGetOperationTypeError

from . import models, root, types
from .context import MOST_LETTERS, MOST_TOKENS, MOST_VALUES, TARIFF, Context, Relations
from .errors import list_of, refused
from .permissions import passenger_of


def is_owner(row: models.Booking, context: Context) -> bool:
    return row.passenger_id == context.caller


def is_self(row: models.Passenger, context: Context) -> bool:
    return row.pk == context.caller


def guarded() -> strawberry.Schema:
    """Make the schema, with its extensions, and a guard at each type that is somebody's."""
    made = strawberry.Schema(
        root.Query,
        root.Mutation,
        types=[types.Passenger],
        extensions=[
            lambda: Priced(TARIFF, MOST_VALUES, MOST_TOKENS, MOST_LETTERS),
            DisableIntrospection,
        ],
    )
    guard(made._schema, "Booking", is_owner)
    guard(made._schema, "Passenger", is_self)
    return made


schema = guarded()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members; of two with one name somebody else may have looked at the other."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a member is given twice")
    return found


def answering(
    schema: strawberry.Schema, relations: Callable[[], Relations] = Loaders
) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view that answers `schema`; relations are made for each request.

    It is a sync view: `async_to_sync` gives resolvers an event loop, in which batches form.
    """

    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        # A browser sends any other type from any page, without asking whether it may (CORS).
        if request.content_type != "application/json":
            return refused("The body is not called application/json.", 415)
        try:
            # By itself `loads` reads UTF-16, too, which whoever looked at the body before has not.
            asked = json.loads(request.body.decode("utf-8-sig"), object_pairs_hook=_once)
        except (ValueError, RecursionError, RequestDataTooBig):
            return refused("The body is no JSON, or too much of it.")
        if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
            return refused("The body is no object with a `query`; one request asks one thing.")
        given, name = asked.get("variables"), asked.get("operationName")
        if not isinstance(given, dict | None) or not isinstance(name, str | None):
            return refused("`variables` are an object, and `operationName` is a text.")
        context = Context(passenger_of(request.headers), relations())
        try:
            result = async_to_sync(schema.execute)(
                asked["query"], given, context, operation_name=name
            )
        except CannotGetOperationTypeError:
            return refused("There is no such operation.")
        errors = result.errors or []
        # What fails before a field is asked for is the client's mistake, and has no data, not even null.
        begun = result.data is not None or any(error.path for error in errors)
        answer: dict[str, Any] = {"data": result.data} if begun else {}
        if errors:
            answer["errors"] = list_of(errors)
        if result.extensions:
            answer["extensions"] = result.extensions
        return JsonResponse(answer, status=200 if begun else 400)

    return view


view = answering(schema)
