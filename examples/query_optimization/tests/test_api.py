"""The service as its users and operators meet it, and what it says to bad input."""

import pytest
from django.db import OperationalError
from flights.problems import handler
from flights.variants import VARIANTS
from psycopg_pool import PoolTimeout


@pytest.mark.parametrize(
    "query",
    [
        "board/",
        "board/?origin=JFK&day=yesterday",
        "board/?origin=XXX&day=2013-07-01",
        "board/?origin=JFK&day=2013-07-01&limit=0",
        "board/?origin=JFK&day=2013-07-01&limit=-1",
        "board/?origin=JFK&day=2013-07-01&limit=1000000000",
        "board/?origin=JFK%00&day=2013-07-01",
        "delays/?origin=JFK&destination=XXX",
        "delays/?origin=JFK&destination=LAX&minutes=5",
        "airline/?code=XX",
        "airline/?code=UAL",
        "airline/?code=U%00",
        "planes/?limit=many",
        "airports/?text=ab",
        "report/?month=2013-13",
        "report/?month=1999-01",
        "report/?month=July",
        "pages/?size=0",
        "pages/?size=-1",
        "pages/?size=1000000000",
    ],
)
@pytest.mark.parametrize("variant", ["naive", "optimized"])
def test_bad_input_is_told_as_a_problem(site, variant, query):
    answer = site.get(f"/api/{variant}/{query}")

    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 400


@pytest.mark.parametrize("query", ["cursor=forged", "before=soon"])
def test_position_that_is_none_is_told_as_a_problem(site, query):
    answer = site.get(f"/api/optimized/pages/?{query}")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_known_airport_without_departures_is_an_empty_board(site):
    answer = site.get("/api/optimized/board/?origin=LAX&day=2013-07-01")

    assert answer.json() == {"departures": []}


def test_full_pool_is_told_with_a_moment_to_come_back():
    try:
        raise OperationalError from PoolTimeout("full")
    except OperationalError as error:
        answer = handler(error, {})

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


def test_index_names_every_variant_with_paths_that_answer(site):
    variants = site.get("/api/").json()["variants"]

    assert [each["name"] for each in variants] == [each.name for each in VARIANTS]
    for each in variants[-1]["lists"]:
        assert site.get(each["example"]).status_code == 200


def test_cost_of_an_answer_is_told_to_staff_alone(site):
    path = "/api/optimized/board/?origin=JFK&day=2013-07-01"

    assert '"1 queries"' in site.get(path, **site.STAFF)["Server-Timing"].replace("desc=", "")
    assert not site.get(path).has_header("Server-Timing")


def test_process_tells_that_it_serves(site):
    assert site.get("/healthz").json() == {"status": "ok"}


def test_path_that_leads_nowhere_says_where_to_look(site):
    answer = site.get("/api/nothing/")

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
