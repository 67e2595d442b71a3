"""Which statements run: counted for each request, and kept for those who ask for their plans."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connections


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement that ran."""

    database: str
    template: str
    params: Any

    @property
    def sql(self) -> str:
        """The statement with its parameters filled in."""
        if not self.params:
            return self.template
        operations: Any = connections[self.database].ops
        return str(operations.compose_sql(self.template, self.params))


@contextmanager
def captured() -> Iterator[list[Statement]]:
    """Keep every statement of this thread, on every database."""
    found: list[Statement] = []

    def observe(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        found.append(Statement(context["connection"].alias, sql, params))
        return execute(sql, params, many, context)

    with ExitStack() as stack:
        for alias in connections:
            stack.enter_context(connections[alias].execute_wrapper(observe))
        yield found
