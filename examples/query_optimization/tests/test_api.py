"""The service as its users and operators meet it, and what it says to bad input."""

import pytest
from django.db import OperationalError, connections
from flights.problems import handler
from flights.variants import VARIANTS
from psycopg.errors import SerializationFailure
from psycopg_pool import PoolTimeout


@pytest.mark.parametrize(
    "query",
    [
        "board/",
        "board/?origin=JFK&day=yesterday",
        "board/?origin=JFK&day=9999-12-31",
        "departed/?since=0001-01-01T00:00:00Z",
        "board/?origin=JFK&day=2013-07-01&limit=0",
        "board/?origin=JFK&day=2013-07-01&limit=-1",
        "board/?origin=JFK&day=2013-07-01&limit=1000000000",
        "board/?origin=JFK%00&day=2013-07-01",
        "delays/?origin=JFK&destination=LAX&minutes=14",
        "planes/?limit=many",
        "airports/?text=ab",
        "report/?month=2013-13",
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


@pytest.mark.report(
    "Kinto/kinto#1704",
    "a NUL in the query string reaches PostgreSQL: an error of the server",
    "a 400 before any query, in each text that is asked for",
)
@pytest.mark.parametrize(
    "query",
    [
        "board/?origin=%00&day=2013-07-01",
        "airports/?text=abc%00",
        "delays/?origin=JFK&destination=%00",
        "pages/?cursor=%00",
        "report/?month=2013-07%00",
    ],
)
def test_nul_is_no_text(site, query):
    assert site.get(f"/api/optimized/{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["cursor=forged", "before=soon", "order=delay&before=2013-07-01T00:00:00Z"]
)
def test_position_that_is_none_is_told_as_a_problem(site, query):
    answer = site.get(f"/api/optimized/pages/?{query}")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("variant", ["naive", "optimized"])
@pytest.mark.parametrize(
    "query",
    [
        "board/?origin=LAX&day=2013-07-01",
        "delays/?origin=JFK&destination=XXX",
        "report/?month=1999-01",
    ],
)
def test_question_without_an_answer_is_an_empty_list(site, variant, query):
    assert list(site.get(f"/api/{variant}/{query}").json().values()) == [[]]


@pytest.mark.report(
    "sequelize/sequelize#7179",
    "a replica cancels a query for what it has to replay: an error, though the next attempt succeeds",
    "a 503 with Retry-After",
)
@pytest.mark.parametrize("cause", [PoolTimeout("full"), SerializationFailure("conflict")])
def test_moment_without_database_is_told_with_one_to_come_back(cause):
    try:
        raise OperationalError from cause
    except OperationalError as error:
        answer = handler(error, {})

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


@pytest.fixture
def pooled(loaded, django_db_blocker):  # noqa: ARG001 -- set up before
    """The pool, and the process id of the connection at the server that it lends next."""
    with django_db_blocker.unblock():

        def lent():
            with connections["pooled"].cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (pid,) = cursor.fetchone()
            connections["pooled"].close()
            return pid

        yield lent
        connections["pooled"].close()


@pytest.mark.report(
    "paperless-ngx/paperless-ngx#12977",
    "a pool hands out connections that a restart of the server has cut: each is one 500",
    "a connection is asked for a sign of life before a request gets it",
)
def test_connection_that_was_cut_is_replaced_before_it_is_lent(pooled):
    pid = pooled()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    assert pooled() != pid


@pytest.mark.report(
    "psycopg/psycopg#701",
    "the pool's pauses between attempts grow to minutes while the server is away",
    "an attempt is given up after 2 s; the next request begins a new one",
)
def test_pause_of_the_pool_does_not_grow(pooled):
    pooled()

    assert connections["pooled"].pool.reconnect_timeout == 2


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
