"""What is measured of one way to answer, in a process of its own; prints question -> figures as JSON."""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import django
from django.db import connection
from django.test import RequestFactory

LEAST, MOST_SECONDS = 50, 1.0  # answers to each question, at least and in about
QUESTIONS = {
    "50 flights with their origin": "{flights(50){number origin{code}}}",
    "two aliases of a list": "{flights(50){number origin{a: departures(1){id} b: departures(2){id}}}}",
    "a departure of each of 3 airports": "{airports(3){code departures(1){id number}}}",
}
# A list is a connection there: its rows are the nodes of edges.
CONNECTIONS = {
    "50 flights with their origin": "{flights(first: 50){edges{node{number origin{code}}}}}",
    "two aliases of a list": (
        "{flights(first: 50){edges{node{number origin{"
        "a: departures(first: 1){edges{node{id}}} b: departures(first: 2){edges{node{id}}}}}}}}"
    ),
    "a departure of each of 3 airports": (
        "{airports(first: 3){edges{node{code departures(first: 1){edges{node{id number}}}}}}}"
    ),
}
BY_HAND = {
    "50 flights with their origin": (
        "SELECT f.number, o.code FROM flights_flight f JOIN flights_airport o ON o.code = f.origin_id"
        " ORDER BY f.id LIMIT 50",
    ),
    "two aliases of a list": (
        "SELECT number, origin_id FROM flights_flight ORDER BY id LIMIT 50",
        "SELECT o.code, page.id FROM unnest(ARRAY['EWR', 'LGA', 'JFK']) AS o (code), LATERAL"
        " (SELECT id FROM flights_flight WHERE origin_id = o.code ORDER BY id LIMIT 2) AS page",
    ),
    "a departure of each of 3 airports": (
        "SELECT o.code, page.id, page.number FROM"
        " (SELECT code FROM flights_airport ORDER BY flights DESC LIMIT 3) AS o, LATERAL"
        " (SELECT id, number FROM flights_flight WHERE origin_id = o.code ORDER BY id LIMIT 1) AS page",
    ),
}

type Ask = Callable[[str], object]  # a question -> what is answered


def main(way: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ.setdefault("SECRET_KEY", "benchmark " * 5)
    django.setup()
    makers = {"by_hand": by_hand, "graphene": graphene}
    ask = makers[way]() if way in makers else variant(way)
    json.dump({question: measured(ask, question) for question in QUESTIONS}, sys.stdout)


def measured(ask: Ask, question: str) -> Mapping[str, float]:
    from flights.middleware import Cost

    ask(question)  # connects, and reads into memory
    with connection.execute_wrapper(cost := Cost()), connection.execute_wrapper(read := Read()):
        ask(question)
    walls, cpus = [], []
    while len(walls) < LEAST or sum(walls) < MOST_SECONDS:
        wall, cpu = time.perf_counter(), time.process_time()
        ask(question)
        walls.append((time.perf_counter() - wall) * 1e3)
        cpus.append((time.process_time() - cpu) * 1e3)
    p99 = sorted(walls)[int((len(walls) - 1) * 0.99)]
    counted = {"statements": cost.statements, "rows": read.rows, "buffers": cost.buffers}
    return counted | {"cpu": median(cpus), "p99": p99}


class Read:
    """Counts the rows that queries read from tables, those included that they throw away."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().startswith(("SELECT", "--")):
            raw = context["cursor"].cursor
            raw.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
            self.rows += round(of_tables(raw.fetchone()[0][0]["Plan"]))
        return execute(sql, params, many, context)


def of_tables(plan: Mapping[str, Any]) -> float:
    """Return how many rows the nodes of a plan that scan a table have met."""
    rows = sum(of_tables(each) for each in plan.get("Plans", ()))
    if "Relation Name" in plan:
        met = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        rows += met * plan["Actual Loops"]
    return rows


def variant(name: str) -> Ask:
    """Ask a variant of the example through its view."""
    from flights.variants import VARIANTS

    (of,) = (each for each in VARIANTS if each.name == name)

    def ask(question: str) -> object:
        query = paged(QUESTIONS[question], of.page)
        request = RequestFactory().post("/", {"query": query}, "application/json")
        said = json.loads(of.view(request).content)
        if said.get("errors"):
            raise RuntimeError(said["errors"][0]["message"])
        return said

    return ask


def paged(question: str, page: str) -> str:
    """Write `flights(50)` as a way of paging asks for it."""
    for rows in (50, 3, 2, 1):
        question = question.replace(f"({rows})", f"({page % rows})")
    return question


def by_hand() -> Ask:
    def ask(question: str) -> object:
        with connection.cursor() as cursor:
            found = []
            for statement in BY_HAND[question]:
                cursor.execute(statement)
                found.append(cursor.fetchall())
        return json.dumps(found)

    return ask


def graphene() -> Ask:
    """Ask graphene-django as its documentation shows it: a node for each model, connections for lists."""
    import graphene as g
    from flights import models
    from graphene_django import DjangoConnectionField, DjangoObjectType

    def node(model: Any) -> Any:
        meta = type(
            "Meta", (), {"model": model, "fields": "__all__", "interfaces": (g.relay.Node,)}
        )
        return type(model.__name__, (DjangoObjectType,), {"Meta": meta})

    airport, flight = node(models.Airport), node(models.Flight)
    fields = {"flights": DjangoConnectionField(flight), "airports": DjangoConnectionField(airport)}
    schema = g.Schema(query=type("Query", (g.ObjectType,), fields))

    def ask(question: str) -> object:
        result = schema.execute(CONNECTIONS[question])
        if result.errors:
            raise result.errors[0]
        return json.dumps(result.data)

    return ask


if __name__ == "__main__":
    main(sys.argv[1])
