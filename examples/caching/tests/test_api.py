"""The service as its readers and its operators meet it."""

import time
from itertools import product

import pytest
from django.db import OperationalError, connection
from django.test import Client
from flights import configured
from flights.edge import forward
from flights.gate import Overloaded
from flights.models import Airport, Departure
from flights.pages import PAGES as _PAGES
from flights.variants import VARIANTS
from layers.outbox import carry_out
from layers.redis_layer import TAG_PREFIX

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = dict(_PAGES)
NAMES = [variant.name for variant in VARIANTS]
LATER = """
    UPDATE cache_outbox SET due = due + interval '1 hour'
    WHERE due > (SELECT min(due) FROM cache_outbox) + interval '1 second' RETURNING tag
"""


@pytest.fixture(autouse=True)
def airports(emptied):  # noqa: ARG001 -- it is empty
    here = Airport.objects.create(
        code="TEST", name="Here", city="Köln", country="DE", latitude=50.9, longitude=7.1
    )
    Airport.objects.create(
        code="NEAR", name="Near", city="Bonn", country="DE", latitude=50.7, longitude=7.1
    )
    Departure.objects.create(airport=here, flight="NX1", destination="NEAR", minute=5)
    outbox("DELETE FROM cache_outbox")


@pytest.fixture
def site():
    return Client(raise_request_exception=False)


@pytest.fixture
def operator(settings):
    settings.STAFF_TOKEN = "right"
    return Client(headers={"Authorization": "Bearer right"})


def outbox(statement="SELECT tag, place FROM cache_outbox ORDER BY id"):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def drained():
    """Let the relay work once, and return what it purged."""
    purged = []
    connection.ensure_connection()

    def purge(tags):
        purged.extend(tags)
        heard = configured.cache().purge(tags)
        assert heard
        return heard

    carry_out(connection.connection, "cache", purge)
    return purged


@pytest.mark.parametrize("path", ["airports/TEST/", "airports/TEST/alternates/"])
def test_every_variant_answers_with_the_same_bytes_twice(site, path):
    answers = [site.get(f"/api/{name}/{path}") for name in NAMES for _ in range(2)]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_page_has_the_departures_and_the_version_of_the_row(site):
    page = site.get("/api/layered/airports/test/").json()

    assert page["name"] == "Here"
    assert page["version"] == 1
    assert page["departures"] == [{"flight": "NX1", "destination": "NEAR", "minute": 5}]


@pytest.mark.parametrize("code", ["NONE", "a b", "x" * 10_000, "%00"])
def test_unknown_airport_is_a_problem(site, code):
    for name in NAMES:
        answer = site.get(f"/api/{name}/airports/{code}/")

        assert answer.status_code == 404, name
        assert answer["Content-Type"] == "application/problem+json", name


def test_airport_that_was_missing_is_there_when_it_is_created(site):
    assert site.get("/api/layered/airports/LATE/").status_code == 404

    Airport.objects.create(code="LATE", name="", city="", country="", latitude=0, longitude=0)

    assert site.get("/api/layered/airports/LATE/").status_code == 200


def test_reader_who_has_the_page_gets_304_without_it(site, django_assert_num_queries):
    etag = site.get("/api/layered/airports/TEST/")["ETag"]

    with django_assert_num_queries(0):
        answer = site.get("/api/layered/airports/TEST/", headers={"If-None-Match": f"W/{etag}"})

    assert (answer.status_code, answer.content) == (304, b"")
    Airport.objects.filter(code="TEST").update(name="There")
    drained()
    answer = site.get("/api/layered/airports/TEST/", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.json()["name"]) == (200, "There")


def test_shared_caches_keep_what_is_public_only(site, operator):
    public, private = (
        each.get("/api/layered/airports/TEST/")["Cache-Control"] for each in (site, operator)
    )

    assert public == "public, max-age=0, s-maxage=60, stale-while-revalidate=2"
    assert private == "private, no-cache"
    assert site.get("/api/layered/airports/TEST/")["Vary"] == "Authorization"


def test_what_the_cdn_keeps_can_be_purged_there(site):
    page = site.get("/api/layered/airports/TEST/")
    absent = site.get("/api/layered/airports/NONE/")

    assert page["Surrogate-Key"] == "* airport:TEST country:DE"
    assert absent["Surrogate-Key"] == "* airport:NONE airports"
    assert absent["Cache-Control"] == "public, max-age=0, s-maxage=10, stale-while-revalidate=2"


def test_page_that_was_overtaken_by_a_purge_is_kept_by_no_cache(site, monkeypatch):
    def overtaken(code):
        value = PAGES["airport"](code)
        configured.cache().purge([f"airport:{code}"])
        return value

    monkeypatch.setitem(configured.PAGES, "airport", overtaken)
    answer = site.get("/api/layered/airports/TEST/")

    assert answer["Cache-Status"] == "nexus; detail=overtaken"
    assert answer["Cache-Control"] == "no-store"


def test_only_the_staff_is_told_where_to_edit(site, operator):
    for name, client in product(NAMES, (operator, site, operator, site)):
        page = client.get(f"/api/{name}/airports/TEST/")

        assert ("edits" in page.json()) == (client is operator), name
        assert page["Vary"] == "Authorization", name


def test_nobody_else_edits(site, settings):
    tokens = ({}, *({"Authorization": f"Bearer {token}"} for token in ("", "wrong", "None")))
    for right, headers in product(("right", ""), tokens):
        settings.STAFF_TOKEN = right
        answer = site.post("/api/airports/TEST/edits/?name=X", headers=headers)

        assert answer.status_code == 403, (right, headers)


@pytest.mark.parametrize(
    ("said", "status"), [("bearer  right", 200), ("Basic right", 403), ("right", 403)]
)
@pytest.mark.usefixtures("operator")
def test_case_of_the_scheme_says_nothing(site, said, status):
    answer = site.post("/api/airports/TEST/edits/?name=X", headers={"Authorization": said})

    assert answer.status_code == status


def test_edit_is_served_at_once(site, operator):
    site.get("/api/layered/airports/TEST/")

    answer = operator.post("/api/airports/TEST/edits/?name=There")

    assert answer.json() == {"code": "TEST", "version": 2}
    assert site.get("/api/layered/airports/TEST/").json()["name"] == "There"


def test_edit_while_redis_is_frozen_is_made_and_purged_later(
    site, operator, redis, settings, wait_until
):
    # Django's client shall not be asked: it would wait for all of the pause.
    options = {"OPTIONS": {"socket_timeout": 120}}
    settings.CACHES = {"default": settings.CACHES["default"] | options}
    site.get("/api/layered/airports/TEST/")
    redis.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
    try:
        began = time.monotonic()
        answer = operator.post("/api/airports/TEST/edits/?name=There")
        seconds = time.monotonic() - began
    finally:
        redis.execute_command("CLIENT", "UNPAUSE")

    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert seconds < 20  # each client waits for a second at most, and the pause is a minute long
    wait_until(lambda: configured.cache().local.epoch is not None)
    assert drained() == ["airport:TEST"]
    assert site.get("/api/layered/airports/TEST/").json()["name"] == "There"


def test_rolled_back_edit_leaves_no_trace(site, operator):
    site.get("/api/layered/airports/TEST/")
    # Not the clock: it counts the beats of this process, too.
    tags = [f"{TAG_PREFIX}airport:{code}" for code in ("TEST", "NEAR")]
    purged_at = configured.redis.mget(tags)

    assert operator.post("/api/airports/TEST/edits/?name=X&how=preview").json()["version"] == 1

    assert outbox() == []
    assert configured.redis.mget(tags) == purged_at
    assert site.get("/api/layered/airports/TEST/").json()["name"] == "Here"


def test_edit_without_sense_is_refused(operator):
    for query in ("", "name=", "name=X&how=magic", "name=%00", f"name={'x' * 201}"):
        answer = operator.post(f"/api/airports/TEST/edits/?{query}")

        assert answer.status_code == 400, query


def test_edit_of_no_airport_is_refused(operator):
    for code in ("NONE", "%00", "x" * 10_000):
        answer = operator.post(f"/api/airports/{code}/edits/?name=X")

        assert answer.status_code == 404, code


def test_refusal_is_a_problem(site):
    for path, status in (("/api/layered/airports/TEST/", 405), ("/api/airports/TEST/edits/", 403)):
        answer = site.post(path)

        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("error", [OperationalError("gone"), Overloaded()])
def test_database_that_cannot_is_a_problem_that_passes(site, monkeypatch, error):
    def fails(_code):
        raise error

    monkeypatch.setitem(configured.PAGES, "airport", fails)
    answer = site.get("/api/layered/airports/TEST/")

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer["Content-Type"] == "application/problem+json"


def test_changed_neighbour_is_seen_in_the_alternates(site):
    site.get("/api/layered/airports/TEST/alternates/")

    Airport.objects.filter(code="NEAR").update(name="Nearer")

    assert drained() == ["airport:NEAR"]
    found = site.get("/api/layered/airports/TEST/alternates/").json()["alternates"]
    assert [each["name"] for each in found] == ["Nearer"]


def test_new_neighbour_is_seen_in_the_alternates(site):
    site.get("/api/layered/airports/TEST/alternates/")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO flights_airport (code, name, city, country, latitude, longitude)"
            " VALUES ('NEW', 'New', '', 'DE', 50.8, 7.1)"
        )

    assert set(drained()) == {"airport:NEW", "airports"}
    found = site.get("/api/layered/airports/TEST/alternates/").json()["alternates"]
    assert [each["code"] for each in found] == ["NEW", "NEAR"]


def test_purge_that_redis_did_not_hear_stays_in_the_outbox():
    Airport.objects.filter(code="TEST").update(name="There")

    assert carry_out(connection.connection, "cache", lambda _: False) == 0
    assert outbox() == [("airport:TEST", "cache")]
    assert drained() == ["airport:TEST"]
    assert outbox() == []


def test_cdn_is_purged_after_redis_twice_and_again_until_it_hears_it():
    Airport.objects.filter(code="TEST").update(name="There")
    database = connection.connection
    assert carry_out(database, "edge", lambda _: True) == 0

    carry_out(database, "cache", lambda _: True, forward)
    # However slow the machine is, the second time does not come during the test.
    assert outbox(LATER) == [("airport:TEST",)]

    assert carry_out(database, "edge", lambda _: False) == 0
    assert carry_out(database, "edge", lambda tags: tags == ["airport:TEST"]) == 1
    assert outbox() == [("airport:TEST", "edge")]


@pytest.mark.parametrize(
    ("statement", "tags"),
    [
        ("UPDATE flights_airport SET code = 'MOVE' WHERE code = 'NEAR'", {"NEAR", "MOVE", None}),
        ("UPDATE flights_airport SET latitude = 0 WHERE code = 'NEAR'", {"NEAR", None}),
        ("DELETE FROM flights_airport WHERE code = 'NEAR'", {"NEAR", None}),
    ],
)
def test_list_of_neighbours_depends_on_where_airports_are(statement, tags):
    with connection.cursor() as cursor:
        cursor.execute(statement)

    assert set(drained()) == {f"airport:{code}" if code else "airports" for code in tags}


@pytest.mark.parametrize("table", ["flights_departure", "flights_airport CASCADE"])
def test_truncated_table_purges_everything(table):
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}")

    assert "*" in drained()


def test_index_lists_paths_that_exist(site):
    for variant in site.get("/api/").json()["variants"]:
        for path in variant["paths"].values():
            assert site.get(path.replace("{code}", "TEST")).status_code == 200, path


def test_health(site):
    assert site.get("/healthz").json() == {"status": "ok"}
