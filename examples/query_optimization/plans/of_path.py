"""What a path of this service asks of the database, and how that is done."""

from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import Resolver404, resolve

from .capture import Statement, captured
from .explain import explain
from .plan import Plan

MOST_PLANS = 10  # different statements explained for one path


class NoList(ValueError):
    """A path of which no plan can be told: it leads nowhere, or to no list."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One of the different statements of a path: its executed plan, and how often it was sent."""

    statement: Statement
    plan: Plan
    times: int


@dataclass(frozen=True, slots=True)
class Cost:
    """The answer to a path, and the statements behind it."""

    status: int
    queries: int
    different: int
    plans: list[Explained]


def cost(path: str) -> Cost:
    """Ask `path`, then run each different statement of it again under EXPLAIN ANALYZE.

    Raises:
        NoList: it leads nowhere, or to no list.
    """
    with captured(keep=True) as found:
        answer = _answer(path)
    times = Counter(each.template for each in found.statements)
    different = list({each.template: each for each in found.statements}.values())
    plans = [
        Explained(each, explain(each), times[each.template]) for each in different[:MOST_PLANS]
    ]
    return Cost(answer.status_code, found.queries, len(different), plans)


def _answer(path: str) -> HttpResponse:
    parts = urlsplit(path)
    try:
        match = resolve(parts.path)
    except Resolver404:
        raise NoList("path: leads nowhere") from None
    if not parts.path.startswith("/api/") or parts.path.endswith("/plans/"):
        raise NoList("path: not a list of this service")
    asked = RequestFactory(HTTP_HOST="localhost").get(path)
    answer: HttpResponse = match.func(asked, *match.args, **match.kwargs)
    return answer.render() if hasattr(answer, "render") else answer
