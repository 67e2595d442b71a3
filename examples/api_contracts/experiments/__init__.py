"""The claims of this example, and what their clients send."""

import json
from typing import Any

from nexus.experiment import Answer, Request, Stack

CLAIMS = (
    "no-edit-is-lost",
    "an-old-client-still-works",
    "answers-are-as-written",
    "a-typo-is-refused",
    "no-input-breaks-it",
)

BEGINS_AS = "generated"  # exercises/mine.py, where a reader begins

JSON = {"Content-Type": "application/json"}


def url(stack: Stack, variant: str, path: str) -> str:
    return f"{stack.url}/api/{variant}/{path}"


def sending(method: str, address: str, body: Any, **headers: str) -> Request:
    """Return a request with a JSON body."""
    return Request(address, {**JSON, **headers}, method, json.dumps(body).encode())


def told(answer: Answer) -> Any:
    """Return what the answer says as JSON; None, if it is none."""
    try:
        return json.loads(answer.body)
    except ValueError:
        return None
