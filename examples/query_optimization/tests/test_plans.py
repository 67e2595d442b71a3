"""The plan, not the stopwatch: each index is used, and missed when it is gone."""

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Prefetch
from flights.catalogue import CATALOGUE
from flights.lists import LISTS
from flights.models import Airport, Flight, Plane
from flights.optimized import Optimized
from flights.shapes import LATEST
from plans.capture import captured
from plans.of_path import Explained

FOR_THEIR_KEYS = {"flight_destination"}


def plans_of(site, path):
    with captured() as found:
        assert site.get(path).status_code == 200
    return [Explained(each, 1).plan() for each in found]


def nodes(plan):
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


def indexes(plan):
    return {node.get("Index Name") for node in nodes(plan)}


def buffers(plan):
    """Pages that the whole statement looked at, in the cache or not, of temporary tables, too."""
    kinds = (f"{where} {how} Blocks" for where in ("Shared", "Local") for how in ("Hit", "Read"))
    return sum(plan[kind] for kind in kinds)


def meets(plans, entry):
    """Whether one of the plans uses the index and stays within its bound."""
    return any(
        entry.index in indexes(plan) and buffers(plan) <= entry.max_buffers for plan in plans
    )


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.path[:15])
def test_index_is_used_and_missed_when_dropped(site, flights, entry):
    path = f"/api/optimized/{entry.path}"
    assert meets(plans_of(site, path), entry)

    flights.execute("SET CONSTRAINTS ALL IMMEDIATE")
    flights.execute(f"DROP INDEX {entry.index}")

    assert not meets(plans_of(site, path), entry)


def test_every_index_is_in_the_catalogue_or_there_for_its_key():
    declared = {index.name for model in (Flight, Airport) for index in model._meta.indexes}

    assert declared == {entry.index for entry in CATALOGUE} | FOR_THEIR_KEYS


def test_month_is_counted_without_the_table(site):
    (report,) = [
        plan
        for plan in plans_of(site, "/api/optimized/report/?month=2013-07")
        if "flight_board" in indexes(plan)
    ]

    (scan,) = [node for node in nodes(report) if node["Node Type"] == "Index Only Scan"]
    assert scan["Heap Fetches"] == 0
    # Without the origins PostgreSQL 18 skips through the index, and 17 reads all of it.
    assert "origin" in scan["Index Cond"]


@pytest.mark.usefixtures("flights")
@pytest.mark.report(
    "django/django#15957",
    "a `Prefetch` of a slice was refused; since Django 4.2 it is a window function over all rows",
    "a subquery stops after three flights of each plane: less than a quarter of the pages",
)
def test_prefetch_with_a_slice_reads_every_flight_of_a_plane():
    latest = Flight.objects.order_by("-scheduled_departure", "-id")[:LATEST]
    planes = Plane.objects.order_by("tail_number").prefetch_related(
        Prefetch("flights", queryset=latest, to_attr="latest")
    )

    with captured() as sliced:
        shown = [[flight.pk for flight in plane.latest] for plane in planes[:50]]
    with captured() as descended:
        same = [[flight.pk for flight in flights] for _, flights in Optimized().planes(50)]

    assert shown == same
    assert len(sliced) == len(descended) == 2
    reads = [sum(buffers(Explained(each, 1).plan()) for each in way) for way in (sliced, descended)]
    assert reads[0] > 4 * reads[1]


def test_order_of_rows_on_disk_is_what_the_small_index_lives_of(flights):
    flights.execute(
        "SELECT correlation FROM pg_stats"
        " WHERE tablename = 'flights_flight' AND attname = 'scheduled_departure'"
    )
    (correlation,) = flights.fetchone()
    flights.execute(
        "SELECT pg_relation_size('flight_departed') * 100 < pg_relation_size('flight_newest')"
    )

    assert correlation > 0.99
    assert flights.fetchone() == (True,)


@pytest.mark.report(
    "teslamate-org/teslamate#5276",
    "a BRIN without autosummarize gets slower with each row that was added since the last VACUUM",
    "autovacuum is told of each range that is full; summarised, 10,000 rows more cost no buffer",
)
def test_rows_that_are_added_are_summarised(site, flights):
    flights.execute(
        "SELECT reloptions, pg_get_indexdef(oid) FROM pg_class WHERE relname = 'flight_departed'"
    )
    options, definition = flights.fetchone()
    assert "autosummarize=on" in options

    # A table of its own: no page of it has free space among rows that are summarised, and no autovacuum
    # summarises it before its pages are counted.
    flights.execute(
        "CREATE TEMPORARY TABLE flights_flight ON COMMIT DROP AS SELECT * FROM public.flights_flight"
        " WHERE scheduled_departure >= '2013-06-20' ORDER BY id LIMIT 40000"
    )
    flights.execute(definition.replace(" ON public.", " ON pg_temp."))
    flights.execute("ANALYZE flights_flight")
    (entry,) = (each for each in CATALOGUE if each.index == "flight_departed")

    def read():
        plans = plans_of(site, f"/api/optimized/{entry.path}")
        return sum(buffers(plan) for plan in plans if "flight_departed" in indexes(plan))

    before = read()
    assert before
    flights.execute(
        "INSERT INTO flights_flight (airline_id, number, origin_id, destination_id,"
        " scheduled_departure, departed, distance_miles)"
        " SELECT airline_id, number, origin_id, destination_id, scheduled_departure + interval '2 years',"
        " departed + interval '2 years', distance_miles FROM flights_flight ORDER BY id LIMIT 10000"
    )
    assert read() >= before + 80
    flights.execute("SELECT brin_summarize_new_values('flight_departed')")  # as autovacuum does

    assert read() <= before + 5


@pytest.mark.parametrize("each", LISTS, ids=lambda each: each.name)
def test_plans_of_every_list_are_shown(flights, capsys, each):  # noqa: ARG001 -- set up before
    call_command("plans", each.name)

    told = capsys.readouterr().out
    assert f"/api/naive/{each.name}/" in told
    assert f"/api/optimized/{each.name}/" in told
    assert "Buffers: shared" in told


def test_staff_are_shown_the_plans_of_a_path(site):
    answer = site.get(
        "/api/plans/?path=/api/naive/board/%3Forigin=JFK%26day=2013-07-01", **site.STAFF
    )

    told = answer.json()
    assert told["queries"] > 100
    assert len(told["plans"]) == 4
    assert {each["times"] for each in told["plans"]} == {1, 45, 50}
    assert "flight_board" in indexes(told["plans"][0]["plan"])


@pytest.mark.parametrize("path", ["/nowhere/", "", "http://[::1", "//[::1/"])
def test_path_that_leads_nowhere_has_no_plans(site, path):
    assert site.get(f"/api/plans/?path={path}", **site.STAFF).status_code == 404


def test_plans_of_what_is_for_staff_are_those_of_a_refusal(site):
    told = site.get("/api/plans/?path=/api/plans/", **site.STAFF)

    assert told.json() == {"queries": 0, "plans": []}


@pytest.mark.parametrize("path", ["/api/plans/", "/api/plans/?path=/api/"])
def test_plans_are_for_staff(site, path):
    assert site.get(path).status_code == 403
    assert site.get(path, Authorization="Bearer wrong").status_code == 403


@pytest.mark.parametrize(
    ("said", "status"), [("Bearer {}", 200), ("bearer  {}", 200), ("Basic {}", 403), ("{}", 403)]
)
def test_case_of_the_scheme_says_nothing(site, said, status):
    answer = site.get("/api/plans/?path=/api/", Authorization=said.format(settings.STAFF_TOKEN))

    assert answer.status_code == status
