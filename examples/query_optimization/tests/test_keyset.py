"""Pages by position: each row once, in order, whatever the ties and sizes; forged positions are refused."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from flights.models import Flight
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from queries.keyset import SALT, BadCursor, Cursor, keyset_page
from queries.or_keyset import spelt_out

EPOCH = datetime(2050, 1, 1, tzinfo=UTC)  # no real flight leaves that late


def walk(flights, size, link, **more):
    """Follow `link` from the first page on; return the ids in the order in which they were shown."""
    ids, page = [], keyset_page(flights, size, None, **more)
    pages = [page]
    while following := page.following:
        page = keyset_page(flights, size, Cursor.read(following.removeprefix("cursor=")), **more)
        pages.append(page)
    if link == "previous":
        pages = [page]
        while previous := page.previous:
            page = keyset_page(flights, size, Cursor.read(previous.removeprefix("cursor=")), **more)
            pages.insert(0, page)
    for each in pages:
        ids += [flight.pk for flight in each.flights]
    return ids


@pytest.mark.usefixtures("flights")
@pytest.mark.parametrize("more", [{}, {"beyond": spelt_out}], ids=["row-value", "spelt-out"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    minutes=some.lists(some.integers(0, 4), max_size=25),  # many flights leave at the same minute
    size=some.integers(1, 10),
    link=some.sampled_from(["next", "previous"]),
)
def test_walk_meets_each_row_once_and_in_order(more, minutes, size, link):
    Flight.objects.filter(scheduled_departure__gte=EPOCH).delete()
    Flight.objects.bulk_create(
        Flight(
            airline_id="UA",
            number=1,
            origin_id="JFK",
            destination_id="LAX",
            scheduled_departure=EPOCH + timedelta(minutes=each),
            distance_miles=2475,
        )
        for each in minutes
    )
    these = Flight.objects.filter(scheduled_departure__gte=EPOCH)
    ordered = list(these.order_by("-scheduled_departure", "-id").values_list("id", flat=True))

    assert walk(these, size, link, **more) == ordered


@pytest.mark.usefixtures("flights")
def test_position_is_compared_as_one_row():
    from queries.keyset import beyond

    sql = str(Flight.objects.filter(beyond(Cursor(EPOCH, 7))).query)

    assert '("flights_flight"."scheduled_departure", "flights_flight"."id") < (' in sql


def test_page_before_a_moment_begins_with_the_flight_of_that_moment(site):
    first = site.get("/api/optimized/pages/?size=1&before=2013-07-01T12:00:00Z").json()["flights"][
        0
    ]

    assert first["scheduled_departure"] == "2013-07-01T12:00Z"


def forged(kind):
    good = Cursor(EPOCH, 7).signed()
    return {
        "cut short": good[:-2],
        "changed": good[:3] + ("A" if good[3] != "A" else "B") + good[4:],
        "of another ordering": signing.dumps([1, 2, 0], salt="flights:distance"),
        "empty": "",
        "not text": "\x00\ud7ff",
    }[kind]


@pytest.mark.parametrize(
    "kind", ["cut short", "changed", "of another ordering", "empty", "not text"]
)
def test_forged_position_is_refused(kind):
    with pytest.raises(BadCursor):
        Cursor.read(forged(kind))


def test_position_survives_the_way_to_the_client_and_back():
    cursor = Cursor(EPOCH, 7, backwards=True)

    assert Cursor.read(cursor.signed()) == cursor
    assert SALT.endswith("-id")
