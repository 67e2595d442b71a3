"""Which statements run: counted for each request, kept in full where somebody asks for their plans."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connections


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement that ran, with its parameters filled in."""

    database: str
    sql: str
    template: str


@dataclass
class Captured:
    """What ran within a block.

    Attributes:
        seconds: that the statements took, from sending one to its first row.
    """

    queries: int = 0
    seconds: float = 0.0
    statements: list[Statement] = field(default_factory=list)


@contextmanager
def captured(*, keep: bool = False) -> Iterator[Captured]:
    """Count every statement of this thread, on every database; with `keep`, remember them."""
    found = Captured()

    def observe(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            found.queries += 1
            found.seconds += time.perf_counter() - started
            if keep:
                connection = context["connection"]
                text = connection.ops.compose_sql(sql, params) if params else sql
                found.statements.append(Statement(connection.alias, text, sql))

    with ExitStack() as stack:
        for alias in connections:
            stack.enter_context(connections[alias].execute_wrapper(observe))
        yield found
