"""Numbers that nobody counts: none is lost, none is far off, and nobody waits for one."""

import threading
from contextlib import contextmanager

import psycopg
import pytest
from counting import rows, slots
from django.core.management import call_command
from django.db import connection, connections
from flights.models import Flight, Views
from psycopg.errors import LockNotAvailable
from queries import naive, optimized

CLIENTS, TIMES = 8, 25


@contextmanager
def other(**more):
    """Open a connection beside that of the test."""
    settings = connections["default"].get_connection_params()
    keys = ("dbname", "user", "password", "host", "port")
    with psycopg.connect(**{key: settings[key] for key in keys}, **more) as found:
        yield found


@pytest.fixture
def counted(loaded, django_db_blocker):  # noqa: ARG001 -- set up before
    """Counters that other connections see, and that are gone afterwards."""
    with django_db_blocker.unblock():
        yield
        Views.objects.all().delete()


def at_once(work):
    """Run `work` in several threads, each with a connection of its own, begun together."""
    barrier = threading.Barrier(CLIENTS)

    def one():
        barrier.wait(10)
        for _ in range(TIMES):
            work()
        connections["default"].close()

    threads = [threading.Thread(target=one) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("counted")
def test_slots_lose_nothing_of_many_at_once(monkeypatch):
    monkeypatch.setattr(optimized, "DATABASE", "default")

    at_once(lambda: slots.count("default", "JFK"))

    assert optimized.views("JFK") == CLIENTS * TIMES
    assert Views.objects.count() <= slots.SLOTS


@pytest.mark.usefixtures("counted")
def test_what_is_rolled_back_was_never_counted(monkeypatch):
    monkeypatch.setattr(optimized, "DATABASE", "default")
    with other() as first:
        first.execute(slots.COUNT, ["JFK", 0])
        first.rollback()

    assert optimized.views("JFK") == 0


@pytest.mark.usefixtures("counted")
def test_one_who_counts_does_not_hold_up_another_slot():
    with other() as first, other(options="-c lock_timeout=100ms", autocommit=True) as second:
        for connected in (first, second):
            connected.execute(slots.COUNT, ["JFK", 3]) if connected is first else None
        second.execute(slots.COUNT, ["JFK", 4])
        with pytest.raises(LockNotAvailable):  # the same one, and so the reason to have sixteen
            second.execute(slots.COUNT, ["JFK", 3])


@pytest.mark.usefixtures("counted")
def test_naive_counter_loses_what_two_read_at_once():
    naive.viewed("JFK")
    first, second = (Views.objects.get(airport="JFK", slot=naive.SLOT) for _ in range(2))
    for counter in (first, second):
        counter.seen += 1
        counter.save()

    assert naive.views("JFK") == 2  # of three


@pytest.mark.parametrize("variant", ["naive", "optimized"])
def test_views_are_counted_over_the_network(site, variant):
    path = f"/api/{variant}/views/?origin=LGA"

    assert [site.get(path).json()["views"], site.post(path).json()["views"]] == [0, 1]
    assert site.get(path).json() == {"airport": "LGA", "views": 1}


@pytest.mark.parametrize("query", ["", "?origin=XXX", "?origin=JFK%00", "?origin=TOOLONG"])
def test_views_of_no_airport_are_told_as_a_problem(site, query):
    for answer in (
        site.get(f"/api/optimized/views/{query}"),
        site.post(f"/api/naive/views/{query}"),
    ):
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.usefixtures("flights")
def test_estimate_is_within_one_percent_after_analyze():
    assert rows.estimated("default", Flight) == pytest.approx(Flight.objects.count(), rel=0.01)


def test_estimate_of_a_table_that_was_never_analysed_is_a_count(flights):
    flights.execute("CREATE TEMPORARY TABLE flights_views (LIKE public.flights_views)")
    flights.execute("INSERT INTO flights_views VALUES (1, 0, 1, 'JFK'), (2, 1, 1, 'JFK')")

    assert rows.estimated("default", Views) == 2


@pytest.mark.parametrize(("most", "found"), [(10, 10), (20_000, 11_262)])
@pytest.mark.usefixtures("flights")
def test_count_goes_no_further_than_asked(most, found):
    assert rows.at_most(Flight.objects.filter(origin="JFK", destination="LAX"), most) == found


def test_how_a_number_is_known_is_told(site):
    asked = "count/?origin=JFK&destination=LAX"

    assert site.get(f"/api/naive/{asked}").json() == {"flights": 11_262, "how": "counted"}
    assert site.get(f"/api/optimized/{asked}").json() == {"flights": 1_000, "how": "at least"}
    assert site.get("/api/optimized/count/").json()["how"] == "estimated"
    few = site.get("/api/optimized/count/?origin=LGA&destination=SAV").json()
    assert few == site.get("/api/naive/count/?origin=LGA&destination=SAV").json()


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(("how", "waits"), [("", True), ("CONCURRENTLY", False)])
def test_months_can_be_read_while_they_are_refreshed(how, waits):
    with other() as refreshing, other(options="-c lock_timeout=100ms") as reading:
        refreshing.execute(f"REFRESH MATERIALIZED VIEW {how} flights_monthly")
        try:
            months = reading.execute("SELECT count(*) FROM flights_monthly").fetchone()
        except LockNotAvailable:
            months = None
        refreshing.rollback()

    assert months == (None if waits else (39,))


@pytest.mark.usefixtures("flights")
def test_refresh_brings_in_what_was_written():
    Flight.objects.filter(scheduled_departure__year=2014).delete()
    before = len(list(optimized.year()))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    call_command("refresh")

    assert (before, len(list(optimized.year()))) == (39, 36)
