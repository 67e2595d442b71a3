"""Every list of every variant, found from the service's own index: same bytes, fixed numbers of queries."""

from datetime import UTC, datetime, timedelta

import pytest
import zeal
from django.core.exceptions import FieldFetchBlocked
from django.db.models import FETCH_PEERS, prefetch_related_objects
from django.urls import get_resolver
from flights.lists import LISTS
from flights.models import Airport, Flight, Plane
from flights.naive import Naive
from flights.optimized import Optimized
from flights.variants import VARIANTS
from plans.capture import captured

# Queries of the solution.
FIXED = {
    "board": 1,
    "planes": 2,
    "delays": 1,
    "departed": 1,
    "airports": 1,
    "pages": 1,
}
GROWING = {
    ("naive", "board"),
    ("naive", "planes"),
    ("naive", "delays"),
    ("naive", "departed"),
    ("fetch_peers", "planes"),
}
# Below a variant, but no list of as many rows as one asks for.
OTHERWISE = {"report"}
NAMES = [variant.name for variant in VARIANTS]
LISTED = [each for each in LISTS if each.rows]


def path(variant, each, rows):
    return f"/api/{variant}/{each.name}/?{each.example}&{each.rows}={rows}"


def test_every_path_of_the_urlconf_is_gated_or_no_list():
    (api,) = (each for each in get_resolver().url_patterns if str(each.pattern) == "api/")
    below = {
        tuple(str(each.pattern).strip("/").split("/"))
        for each in api.url_patterns
        if str(each.pattern) not in ("", "plans/")
    }

    assert below == {
        (variant, name) for variant in NAMES for name in {each.name for each in LISTED} | OTHERWISE
    }
    assert FIXED.keys() == {each.name for each in LISTED}


@pytest.mark.parametrize("each", LISTED, ids=lambda each: each.name)
@pytest.mark.parametrize("variant", ["eager", "optimized"])
def test_number_of_queries_is_the_same_for_5_20_and_50_rows(site, variant, each):
    numbers = [site.queries(path(variant, each, rows))[1] for rows in (5, 20, 50)]

    assert len(set(numbers)) == 1
    if variant != "eager":
        assert numbers[0] == FIXED[each.name]


@pytest.mark.parametrize(("variant", "name"), sorted(GROWING))
def test_gate_sees_one_plus_n(site, variant, name):
    each = next(each for each in LISTED if each.name == name)

    few, many = (site.queries(path(variant, each, rows))[1] for rows in (5, 50))

    assert many > few


@pytest.mark.parametrize("each", LISTED, ids=lambda each: each.name)
def test_zeal_sees_no_relation_loaded_one_by_one(site, each):
    with zeal.zeal_context():
        assert site.get(path("optimized", each, 50)).status_code == 200


@pytest.mark.parametrize("name", ["board", "planes", "delays", "departed"])
def test_zeal_sees_one_plus_n(client, flights, name):  # noqa: ARG001 -- set up before
    each = next(each for each in LISTED if each.name == name)

    with zeal.zeal_context(), pytest.raises(zeal.NPlusOneError):
        client.get(path("naive", each, 50))


@pytest.mark.usefixtures("flights")
def test_day_of_a_board_ends_where_the_next_begins():
    midnight = datetime(2050, 1, 1, tzinfo=UTC)
    last = midnight + timedelta(days=1, microseconds=-1)
    for moment in (midnight, last, midnight + timedelta(days=1)):
        route = {"airline_id": "UA", "origin_id": "JFK", "destination_id": "LAX"}
        Flight.objects.create(**route, number=1, distance_miles=1, scheduled_departure=moment)

    assert [row[2] for row in Optimized().board("JFK", midnight.date(), 50)] == [midnight, last]


MOMENT = datetime(2050, 1, 1, 12, tzinfo=UTC)


def made(number, **more):
    """Store a flight of a route that no real flight flies, delayed by an hour."""
    flight = {
        "airline_id": "UA",
        "origin_id": "LAX",
        "destination_id": "JFK",
        "distance_miles": 1,
        "scheduled_departure": MOMENT,
        "departure_delay": 60,
    }
    flight |= more
    delay = timedelta(minutes=flight["departure_delay"])
    Flight.objects.create(**flight, number=number, departed=flight["scheduled_departure"] + delay)


@pytest.mark.usefixtures("flights")
@pytest.mark.parametrize("way", [Naive(), Optimized()], ids=["naive", "optimized"])
@pytest.mark.parametrize("least", [15, 60])
def test_flight_that_is_late_by_just_so_much_is_late(way, least):
    made(1, departure_delay=least - 1)
    made(2, departure_delay=least, scheduled_departure=MOMENT + timedelta(days=1))
    made(3, departure_delay=least)
    made(4, departure_delay=least + 1)

    assert [flight.number for flight in way.delays("LAX", "JFK", least, 50)] == [4, 3, 2]


@pytest.mark.usefixtures("flights")
def test_minutes_of_departure_end_where_the_next_begin():
    for number in (-1, 0, 59, 60):
        made(number, departure_delay=number)

    assert [row[1] for row in Optimized().departed(MOMENT, 60, 50)] == [0, 59]


def test_order_is_total_whatever_the_indexes_are(flights):
    plane = Plane.objects.order_by("tail_number").first()
    for number in (4, 1, 6, 2, 5, 3):
        made(number, id=2_000_000_000 + number, plane=plane)
    made(7, id=2_000_000_000, plane=plane, scheduled_departure=MOMENT + timedelta(hours=2))
    flights.execute("SET CONSTRAINTS ALL IMMEDIATE")
    flights.execute(
        "DROP INDEX flight_board, flight_late, flight_newest, flight_of_plane, flight_departed"
    )
    way = Optimized()

    assert [row[1] for row in way.board("LAX", MOMENT.date(), 9)] == [1, 2, 3, 4, 5, 6, 7]
    assert [row[1] for row in way.departed(MOMENT + timedelta(hours=1), 1, 9)] == [1, 2, 3, 4, 5, 6]
    assert [flight.number for flight in way.delays("LAX", "JFK", 60, 9)] == [1, 2, 3, 4, 5, 6, 7]
    ((_, latest),) = way.planes(1)
    assert [flight.number for flight in latest] == [7, 6, 5]


@pytest.mark.usefixtures("flights")
def test_month_without_weather_has_no_wet_hours():
    made(1, origin_id="JFK")

    (row,) = Optimized().report((MOMENT, MOMENT))

    assert (row.flights, row.cancelled, row.mean_delay, row.wet_hours) == (1, 0, 60, 0)


@pytest.mark.usefixtures("flights")
def test_fetch_modes_do_not_reach_into_an_iterator():
    def queries(flights):
        with captured() as found:
            assert len({flight.destination.name for flight in flights}) > 1
        return len(found)

    fifty = Flight.objects.fetch_mode(FETCH_PEERS).order_by("id")[:50]

    assert queries(fifty) == 2
    assert queries(fifty.iterator(chunk_size=10)) == 51


@pytest.mark.parametrize(
    "each",
    [each for each in LISTS if each.name not in ("pages", "report")],
    ids=lambda each: each.name,
)
def test_every_variant_answers_with_the_same_bytes(site, each):
    answers = {name: site.get(path(name, each, 20)).content for name in NAMES}

    assert set(answers.values()) == {answers["naive"]}
    assert len(answers["naive"]) > 1_000


def test_every_variant_shows_the_same_first_page(site):
    pages = [site.get(f"/api/{name}/pages/?size=50").json()["flights"] for name in NAMES]

    assert all(page == pages[0] for page in pages)


@pytest.mark.report(
    "taobojlen/django-zeal#57",
    "`prefetch_related_objects` within a loop is 1 + N, and the detector does not see it",
    "the gate counts statements, whoever sends them",
)
@pytest.mark.usefixtures("flights")
def test_gate_sees_what_is_prefetched_one_by_one():
    planes = Plane.objects.order_by("tail_number")

    with captured() as found:
        for plane in planes[:20]:
            prefetch_related_objects([plane], "flights")

    assert len(found) == 21


@pytest.mark.usefixtures("flights")
def test_relation_that_was_not_asked_for_is_an_error():
    flight = Optimized().flights().first()

    with pytest.raises(FieldFetchBlocked):
        flight.airline  # noqa: B018 -- to look is the test


def test_fan_out_counts_a_flight_once_for_each_wet_hour(site):
    naive, right = (
        {
            row["airport"]: row
            for row in site.get(f"/api/{name}/report/?month=2013-07").json()["airports"]
        }
        for name in ("naive", "optimized")
    )

    for airport, row in right.items():
        assert naive[airport]["flights"] == row["flights"] * row["wet_hours"]


@pytest.mark.usefixtures("flights")
@pytest.mark.parametrize("text", ["%", "_", "100%", "in\\", "O'Hare"])
def test_search_takes_its_text_literally(text):
    found = list(Optimized().airports(text, 500))

    assert all(text.lower() in airport.name.lower() for airport in found)


@pytest.mark.usefixtures("flights")
def test_search_finds_what_icontains_finds():
    for text in ("o'hare", "SÃO", "intern", "field"):
        assert [a.code for a in Optimized().airports(text, 500)] == [
            a.code for a in Naive().airports(text, 500)
        ]


@pytest.mark.usefixtures("flights")
def test_airports_are_in_the_order_of_their_codes_wherever_their_rows_lie():
    first, *others = (each.code for each in Optimized().airports("kennedy", 500))
    # What is changed is written anew, at the end of the table.
    Airport.objects.filter(code=first).update(city="elsewhere")

    assert others
    assert [each.code for each in Optimized().airports("kennedy", 500)] == [first, *others]
