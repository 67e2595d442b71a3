"""The claims of this example, and what they share: a query sent by POST, its cost as staff are told it.

Statements, buffers and values are counted; the one time is that of the processor.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from nexus.experiment import Answer, ExperimentError, Request, Stack, ask, expect

CLAIMS = (
    "a-dear-query-is-refused",
    "the-guard-is-cheap",
    "queries-do-not-grow",
    "a-page-reads-what-it-shows",
    "every-path-is-guarded",
    "one-request-is-not-one-guess",
    "errors-tell-nothing",
)

BEGINS_AS = "resolvers"  # exercises/mine.py, where a reader begins
PATIENCE_SECONDS = 60  # a naive query on a busy machine; tells "answered" from "hung"
COST = re.compile(
    r'statements;desc="(?P<statements>\d+)", buffers;desc="(?P<buffers>\d+)", cpu;dur=(?P<cpu>[\d.]+)'
)


def request(
    stack: Stack,
    variant: str,
    query: str,
    variables: Mapping[str, Any] | None = None,
    token: str = "",
) -> Request:
    """Return what asks `variant`; the token is that of a passenger, or of staff."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps({"query": query, "variables": variables or {}}).encode()
    return Request(f"{stack.url}/api/{variant}/", headers, "POST", body)


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says, and what it cost if staff have asked."""

    answer: Answer
    said: Any
    statements: int = 0
    buffers: int = 0
    cpu_ms: float = 0

    @property
    def data(self) -> Any:
        return self.said.get("data")

    @property
    def errors(self) -> list[Any]:
        return self.said.get("errors") or []

    @property
    def values(self) -> int:
        """How many values the answer holds; 0 if it holds no data."""
        return _values(self.data) - 1


def answered(asked: Request) -> Told:
    """Send it; 200 and 400 are answers."""
    answer = expect(ask(asked, timeout_seconds=PATIENCE_SECONDS), 200, 400)
    said = json.loads(answer.body)
    found = COST.match(answer.headers.get("server-timing", ""))
    if not found:
        return Told(answer, said)
    return Told(answer, said, int(found["statements"]), int(found["buffers"]), float(found["cpu"]))


def costed(
    stack: Stack, variant: str, query: str, variables: Mapping[str, Any] | None = None
) -> Told:
    """Ask as staff, who are told the cost."""
    found = answered(request(stack, variant, query, variables, stack.staff_token))
    if "server-timing" not in found.answer.headers:
        raise ExperimentError("the answer does not tell its cost")
    return found


def paged(stack: Stack, variant: str) -> str:
    """Return how `variant` is asked for a page: `first: %s`."""
    variants = json.loads(expect(ask(f"{stack.url}/api/"), 200).body)["variants"]
    return str({each["name"]: each["page"] for each in variants}[variant])


def rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    """Return what the database answers."""
    with psycopg.connect(stack.services["postgres"], application_name="experiment") as connection:
        return connection.execute(query.encode()).fetchall()


def _values(said: Any) -> int:
    if isinstance(said, dict):
        return 1 + sum(map(_values, said.values()))
    if isinstance(said, list):
        return 1 + sum(map(_values, said))
    return 1
