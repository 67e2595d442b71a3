"""What a path of this service asks of the database, and how that is done.

PostgreSQL manual, EXPLAIN with ANALYZE and BUFFERS: pages of 8 kB, wherever they were.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.test import RequestFactory
from django.urls import resolve

from .capture import Statement, captured


@dataclass(frozen=True, slots=True)
class Explained:
    """One of the different statements of a path, and how often it was sent."""

    statement: Statement
    times: int

    def plan(self) -> Any:
        """Run it again, and return the outermost node of its plan."""
        ((said,),) = self._explain("FORMAT JSON")
        return said[0]["Plan"]

    def lines(self) -> list[str]:
        """Run it again, and return its plan for people to read."""
        return [line for (line,) in self._explain("COSTS OFF, TIMING OFF, SUMMARY OFF")]

    def _explain(self, how: str) -> list[tuple[Any, ...]]:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, {how}) {self.statement.sql}"
        with connections[self.statement.database].cursor() as wrapped:
            cursor: Any = wrapped.cursor  # as psycopg has it: JSON is read, and % is no parameter
            return list(cursor.execute(explain.encode()))


def explained(path: str) -> list[Explained]:
    """Ask `path`, and return each different statement of it.

    Raises:
        Resolver404: it leads nowhere.
    """
    match = resolve(path.partition("?")[0])
    with captured() as found:
        match.func(RequestFactory(HTTP_HOST="localhost").get(path), *match.args, **match.kwargs)
    times = Counter(each.template for each in found)
    different = {each.template: each for each in found}
    return [Explained(each, times[each.template]) for each in different.values()]
