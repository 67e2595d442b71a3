"""Pages by position: each row once, in order, whatever the ties and sizes; forged positions are refused."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest
from django.core import signing
from django.db import connection, models
from django.db.models import F
from flights.models import NEVER_LEFT, Flight
from flights.or_keyset import spelt_out
from flights.orderings import MOST_DELAYED, NEWEST, since_epoch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from queries.keyset import BadCursor, Cursor, Ordering, beyond, keyset_page

EPOCH = datetime(2050, 1, 1, tzinfo=UTC)  # no real flight leaves that late
SECOND = timedelta(seconds=1)
MOST_PAGES = 50  # of 25 rows


def cursor_of(link, ordering):
    assert f"order={ordering.name}&" in link
    return Cursor.read(link.partition("cursor=")[2], ordering)


def walk(flights, ordering, size, link, **more):
    """Follow `link` from the first page on; return the ids in the order in which they were shown."""
    page = keyset_page(flights, ordering, size, None, **more)
    pages = [page]
    while following := page.following:
        assert len(pages) <= MOST_PAGES, "the walk does not end"
        page = keyset_page(flights, ordering, size, cursor_of(following, ordering), **more)
        pages.append(page)
    if link == "previous":
        pages = [page]
        while previous := page.previous:
            assert len(pages) <= MOST_PAGES, "the walk does not end"
            page = keyset_page(flights, ordering, size, cursor_of(previous, ordering), **more)
            pages.insert(0, page)
    return [flight.pk for each in pages for flight in each.rows]


def made(moment, delay=None):
    return Flight(
        airline_id="UA",
        number=1,
        origin_id="JFK",
        destination_id="LAX",
        scheduled_departure=moment,
        departure_delay=delay,
        distance_miles=2475,
    )


ORDERED = {
    NEWEST.name: lambda flight: flight.scheduled_departure,
    MOST_DELAYED.name: lambda flight: (
        NEVER_LEFT if flight.departure_delay is None else flight.departure_delay
    ),
}


@pytest.mark.usefixtures("flights")
@pytest.mark.parametrize("more", [{}, {"beyond": spelt_out}], ids=["row-value", "spelt-out"])
@pytest.mark.parametrize("ordering", [NEWEST, MOST_DELAYED], ids=lambda each: each.name)
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # an example is small; to shrink it walks for minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    # Many leave at the same moment, some a fraction of a second apart; many have the same delay or none.
    rows=some.lists(
        some.tuples(
            some.sampled_from([0, 1, 1.000001, 1.5, 2]), some.sampled_from([None, -5, 0, 7])
        ),
        max_size=25,
    ),
    size=some.integers(1, 10),
    link=some.sampled_from(["next", "previous"]),
)
def test_walk_meets_each_row_once_and_in_order(ordering, more, rows, size, link):
    Flight.objects.filter(scheduled_departure__gte=EPOCH).delete()
    Flight.objects.bulk_create(made(EPOCH + seconds * SECOND, delay) for seconds, delay in rows)
    these = Flight.objects.filter(scheduled_departure__gte=EPOCH)
    key = ORDERED[ordering.name]
    ordered = sorted(these, key=lambda flight: (key(flight), flight.pk), reverse=True)

    assert walk(these, ordering, size, link, **more) == [flight.pk for flight in ordered]


@pytest.mark.report(
    "encode/django-rest-framework#7887",
    "many rows share the value that is ordered by: pages repeat and skip them",
    "key and primary key are compared as one row",
)
@pytest.mark.report(
    "ahliweb/awcms#158",
    "a cursor in milliseconds, a column in microseconds: rows between two pages are on none",
    "a cursor holds microseconds",
)
@pytest.mark.usefixtures("flights")
def test_rows_of_one_moment_and_of_one_millisecond_are_each_on_one_page():
    moments = [EPOCH + n * timedelta(microseconds=1) for n in (0, 0, 0, 29, 29, 999)]
    Flight.objects.bulk_create(made(moment) for moment in moments)
    these = Flight.objects.filter(scheduled_departure__gte=EPOCH)

    assert len(set(walk(these, NEWEST, 1, "next"))) == len(moments)
    assert len(walk(these, NEWEST, 1, "previous")) == len(moments)


@pytest.mark.report(
    "encode/django-rest-framework#8912",
    "rows whose value is NULL are on no page: every comparison with NULL is NULL",
    "an ordering's key is an expression that is never NULL",
)
@pytest.mark.report(
    "photocrowd/django-cursor-pagination#44",
    'the last row of a page has NULL: its cursor says "None", and the query fails',
    "the cursor holds the key, which stands below every delay",
)
@pytest.mark.report(
    "apache/airflow#68858",
    "where NULL begins or ends within a page, all rows on one side of it are dropped",
    "a walk over that edge meets each row once, forth and back",
)
@pytest.mark.parametrize("link", ["next", "previous"])
@pytest.mark.usefixtures("flights")
def test_flights_without_a_delay_are_each_on_one_page(link):
    Flight.objects.bulk_create(made(EPOCH, delay) for delay in (5, None, None, -3, None))
    these = Flight.objects.filter(scheduled_departure__gte=EPOCH)

    assert len(set(walk(these, MOST_DELAYED, 2, link))) == 5


@pytest.mark.report(
    "TracecatHQ/tracecat#3131",
    "the comparison is turned for the page before, the order is not: from page 3 it leads to page 1",
    "both are turned, and the rows turned back",
)
@pytest.mark.report(
    "encode/django-rest-framework#7709",
    "where all rows of a page share their value, the way back leads to an empty page",
    "the way back from page 3 is page 2, whatever the rows share",
)
@pytest.mark.report(
    "photocrowd/django-cursor-pagination#30",
    "a page begins with the row that ended the one before: the comparison includes it",
    "only the way back from a page whose rows are gone includes it",
)
@pytest.mark.parametrize("apart", [0 * SECOND, SECOND])
@pytest.mark.usefixtures("flights")
def test_page_before_the_third_is_the_second(apart):
    Flight.objects.bulk_create(made(EPOCH + n * apart) for n in range(6))
    these = Flight.objects.filter(scheduled_departure__gte=EPOCH)
    first = keyset_page(these, NEWEST, 2, None)
    second = keyset_page(these, NEWEST, 2, cursor_of(first.following, NEWEST))
    third = keyset_page(these, NEWEST, 2, cursor_of(second.following, NEWEST))

    assert len({row.pk for page in (first, second, third) for row in page.rows}) == 6
    assert third.following is None
    back = keyset_page(these, NEWEST, 2, cursor_of(third.previous, NEWEST))
    assert (back.rows, bool(back.previous), bool(back.following)) == (second.rows, True, True)
    back = keyset_page(these, NEWEST, 2, cursor_of(back.previous, NEWEST))
    assert (back.rows, back.previous) == (first.rows, None)


class Parcel(models.Model):
    """A table like those of other projects: its key is no number, and one field has a common name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    key = models.DecimalField(max_digits=12, decimal_places=4)

    class Meta:
        app_label = "elsewhere"

    def __str__(self):
        return str(self.id)


@pytest.mark.usefixtures("flights")
@pytest.mark.parametrize("more", [{}, {"beyond": spelt_out}], ids=["row-value", "spelt-out"])
@pytest.mark.parametrize("link", ["next", "previous"])
def test_key_and_primary_key_may_be_of_any_type(link, more):
    ordering = Ordering("price", F("key"), lambda parcel: str(parcel.key), Decimal)
    with connection.schema_editor() as editor:
        editor.create_model(Parcel)
    Parcel.objects.bulk_create(
        Parcel(key=Decimal(price)) for price in ("1.5", "1.5", "2", "0.0001", "1.5", "-7")
    )
    ordered = Parcel.objects.order_by("-key", "-id").values_list("pk", flat=True)

    assert walk(Parcel.objects.all(), ordering, 2, link, **more) == list(ordered)


@pytest.mark.usefixtures("flights")
def test_page_whose_rows_are_gone_leads_back():
    Flight.objects.bulk_create(made(EPOCH + seconds * SECOND) for seconds in range(4))
    these = Flight.objects.filter(scheduled_departure__gte=EPOCH)
    newest, older = (keyset_page(these, NEWEST, 2, None).rows[n] for n in (0, 1))
    forwards = Cursor(NEWEST.of(older), str(older.pk))
    backwards = Cursor(NEWEST.of(newest), str(newest.pk), backwards=True)
    these.exclude(pk__in=[newest.pk, older.pk]).delete()

    empty = keyset_page(these, NEWEST, 2, forwards)
    assert (empty.rows, empty.following) == ([], None)
    back = keyset_page(these, NEWEST, 2, cursor_of(empty.previous, NEWEST))
    assert back.rows == [newest, older]

    empty = keyset_page(these, NEWEST, 2, backwards)
    assert (empty.rows, empty.previous) == ([], None)
    assert keyset_page(these, NEWEST, 2, cursor_of(empty.following, NEWEST)).rows == [
        newest,
        older,
    ]


@pytest.mark.usefixtures("flights")
@pytest.mark.parametrize("more", [{}, {"beyond": spelt_out}], ids=["row-value", "spelt-out"])
def test_moment_before_all_rows_leads_back_to_the_first(more):
    later = [made(EPOCH + seconds * SECOND) for seconds in (1, 2, 3)]
    Flight.objects.bulk_create(later)
    these = Flight.objects.filter(scheduled_departure__gte=EPOCH)

    empty = keyset_page(these, NEWEST, 2, Cursor(since_epoch(EPOCH), None), **more)
    assert (empty.rows, empty.following) == ([], None)
    Flight.objects.bulk_create([now := made(EPOCH)])  # a row of that very moment has come meanwhile
    back = keyset_page(these, NEWEST, 2, cursor_of(empty.previous, NEWEST), **more)
    assert back.rows == [later[0], now]


@pytest.mark.report(
    "django/django#18404",
    "`(a, b) < (x, y)` became `a < x AND b < y`, so that (1, 9) did not come before (2, 1)",
    "the comparison is one of rows, and the test pins its SQL",
)
@pytest.mark.usefixtures("flights")
def test_position_is_compared_as_one_row():
    these = Flight.objects.alias(keyset_key=NEWEST.key)

    sql = str(these.filter(beyond(Cursor(since_epoch(EPOCH), "7"), NEWEST)).query)

    assert '("flights_flight"."scheduled_departure", "flights_flight"."id") < (' in sql


def test_page_before_a_moment_begins_with_the_flight_of_that_moment(site):
    page = site.get("/api/optimized/pages/?size=1&before=2013-07-01T12:00:00Z").json()

    assert page["flights"][0]["scheduled_departure"] == "2013-07-01T12:00Z"


def test_cancelled_flights_come_last_and_in_order(site):
    page = site.get("/api/optimized/pages/?order=delay&size=500").json()
    delays = [flight["delay_minutes"] for flight in page["flights"]]
    last = Cursor(NEVER_LEFT, "0").signed(MOST_DELAYED)
    backwards = Cursor(NEVER_LEFT, "0", backwards=True).signed(MOST_DELAYED)

    assert delays == sorted(delays, reverse=True)
    assert site.get(f"/api/optimized/pages/?order=delay&cursor={last}").json()["flights"] == []
    cancelled = site.get(f"/api/optimized/pages/?order=delay&cursor={backwards}").json()["flights"]
    assert {flight["delay_minutes"] for flight in cancelled} == {None}
    assert cancelled == sorted(cancelled, key=lambda flight: -flight["id"])


def test_naive_pages_show_the_same_flights_in_both_orders(site):
    for order in ("newest", "delay"):
        naive, optimized = (
            site.get(f"/api/{name}/pages/?order={order}&size=300").json()["flights"]
            for name in ("naive", "optimized")
        )
        assert naive == optimized


def forged(kind):
    good = Cursor(since_epoch(EPOCH), "7").signed(NEWEST)
    return {
        "cut short": good[:-2],
        "changed": good[:3] + ("A" if good[3] != "A" else "B") + good[4:],
        "of another ordering": Cursor(60, "7").signed(MOST_DELAYED),
        "signed for something else": signing.dumps([1, "2", 0, 0], salt="keyset:distance"),
        "of another length": signing.dumps([1, "2", 0], salt=NEWEST.salt),
        "no list": signing.dumps(1, salt=NEWEST.salt),
        "with a key of another release": signing.dumps(["2050-01-01", "2", 0, 0], salt=NEWEST.salt),
        "beyond the calendar": signing.dumps([10**18, "2", 0, 0], salt=NEWEST.salt),
        "empty": "",
        "not text": "\x00\ud7ff",
    }[kind]


KINDS = [
    "cut short",
    "changed",
    "of another ordering",
    "signed for something else",
    "of another length",
    "no list",
    "with a key of another release",
    "beyond the calendar",
    "empty",
    "not text",
]


@pytest.mark.parametrize("kind", KINDS)
def test_forged_position_is_refused(kind):
    with pytest.raises(BadCursor):
        Cursor.read(forged(kind), NEWEST)


@pytest.mark.report(
    "lablup/backend.ai#13065",
    "a cursor that can be decoded and holds what no row can be compared with: an error of the server",
    "a cursor of another release is read as the ordering reads it, or refused with a 400",
)
@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind != "empty"]
)  # as if none was given
def test_forged_position_is_told_as_a_problem(site, kind):
    answer = site.get(f"/api/optimized/pages/?cursor={quote(forged(kind))}")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("ordering", [NEWEST, MOST_DELAYED], ids=lambda each: each.name)
def test_position_survives_the_way_to_the_client_and_back(ordering):
    cursor = Cursor(1_373_000_000_123_456, "7", backwards=True)

    assert Cursor.read(cursor.signed(ordering), ordering) == cursor


def test_moment_of_a_cursor_is_exact():
    moment = datetime(2013, 7, 1, 12, 0, 0, 123_457, tzinfo=UTC)

    assert NEWEST.value(since_epoch(moment)) == moment
