"""What went wrong in one shape: `message` for a person, `extensions.code` for a program.

GraphQL specification, October 2021, 7.1.2. What is not meant for clients goes into the log under a number
that the answer names.
"""

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import DataError, IntegrityError, OperationalError
from django.http import JsonResponse
from graphql import GraphQLError

log = logging.getLogger(__name__)
MOST_CHARACTERS = 300  # of a message: it repeats what the client sent
MOST_ERRORS = 100  # of an answer: each repeats the names on its path

# From the kind of an exception, what a client may know of it: the first that fits.
TOLD: tuple[tuple[type[Exception], str, str], ...] = (
    (IntegrityError, "CONFLICT", "It stands against something that is there already."),
    (DataError, "BAD_INPUT", "A value cannot be read."),
    (ValueError, "BAD_INPUT", "A value cannot be read."),
    (KeyError, "BAD_INPUT", "A value cannot be read."),
    (RecursionError, "BAD_QUERY", "It is nested too deeply."),
    (OperationalError, "LATER", "It cannot be done now."),
)


def told(error: GraphQLError) -> dict[str, Any]:
    """Return what a client may know of `error`; log the rest."""
    raised = error.original_error
    if raised is None or isinstance(raised, GraphQLError):
        # "Did you mean" is a way to learn a schema from misspellings.
        message = error.message.split(" Did you mean")[0][:MOST_CHARACTERS]
        return {**error.formatted, "message": message, "extensions": _code(error)}
    number = uuid.uuid4().hex[:12]
    log.error("fault %s", number, exc_info=raised)
    code, message = next(
        ((code, words) for kind, code, words in TOLD if isinstance(raised, kind)),
        ("INTERNAL", "Something went wrong."),
    )
    shown = {key: value for key, value in error.formatted.items() if key in ("path", "locations")}
    return {"message": message, **shown, "extensions": {"code": code, "fault": number}}


def list_of(errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
    """Return what a client may know of the first errors, and of the others how many there are."""
    listed = [told(each) for each in errors[:MOST_ERRORS]]
    if more := len(errors) - len(listed):
        listed.append({"message": f"{more} errors more.", "extensions": {"code": "MORE"}})
    return listed


def refused(message: str, status: int = 400) -> JsonResponse:
    """Return the answer for what is no GraphQL request."""
    errors = [{"message": message, "extensions": {"code": "BAD_REQUEST"}}]
    return JsonResponse({"errors": errors}, status=status)


def _code(error: GraphQLError) -> dict[str, Any]:
    return {"code": "BAD_QUERY", **(error.extensions or {})}
