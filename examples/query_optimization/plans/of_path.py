"""What a path of this service asks of the database, and how that is done."""

import re
from collections import Counter
from dataclasses import dataclass

from django.test import RequestFactory
from django.urls import resolve

from .capture import Statement, captured
from .plan import Plan, explain

LONGEST = 140  # characters shown of a statement


@dataclass(frozen=True, slots=True)
class Explained:
    """One of the different statements of a path: its executed plan, and how often it was sent."""

    statement: Statement
    plan: Plan
    times: int

    def tree(self) -> str:
        """Return the plan as a tree below its statement."""
        return f"{self.times} x {short(self.statement.sql)}\n{self.plan.tree()}"


def explained(path: str) -> list[Explained]:
    """Ask `path`, then run each different statement of it again under EXPLAIN ANALYZE.

    Raises:
        Resolver404: it leads nowhere.
    """
    match = resolve(path.partition("?")[0])
    with captured() as found:
        match.func(RequestFactory(HTTP_HOST="localhost").get(path), *match.args, **match.kwargs)
    times = Counter(each.template for each in found)
    different = {each.template: each for each in found}
    return [
        Explained(each, explain(each.database, each.sql), times[each.template])
        for each in different.values()
    ]


def short(statement: str) -> str:
    """Return a statement without what is not read at a glance: columns, quotation marks, table prefixes."""
    text = re.sub(r"^SELECT .*? FROM ", "SELECT … FROM ", statement.replace("\n", " "))
    text = text.replace('"', "").replace("flights_flight.", "").replace("flights_", "")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
