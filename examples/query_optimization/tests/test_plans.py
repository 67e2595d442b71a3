"""The plan, not the stopwatch: each index is used, and missed when it is gone."""

import json

import pytest
from django.core.management import call_command
from django.db.models import Prefetch
from flights.catalogue import CATALOGUE
from flights.lists import LISTS
from flights.models import Airport, Flight, Plane
from flights.optimized import Optimized
from flights.shapes import LATEST
from plans.capture import captured
from plans.plan import Plan, explain

FOR_THEIR_KEYS = {"flight_destination"}


def plans_of(site, path):
    with captured() as found:
        assert site.get(path).status_code == 200
    return [explain(each.database, each.sql) for each in found]


def meets(plans, entry):
    """Whether one of the plans uses the index and stays within its bound."""
    return any(entry.index in plan.indexes and plan.buffers <= entry.max_buffers for plan in plans)


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
        if "flight_board" in plan.indexes
    ]

    assert "Index Only Scan" in [node["Node Type"] for node in report.nodes()]
    assert sum(node.get("Heap Fetches", 0) for node in report.nodes()) == 0


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
    reads = [
        sum(explain(each.database, each.sql).buffers for each in way) for way in (sliced, descended)
    ]
    assert reads[0] > 4 * reads[1]


def test_plan_adds_what_was_hit_and_read():
    scan = {
        "Node Type": "Index Scan",
        "Index Name": "a",
        "Rows Removed by Filter": 7,
        "Rows Removed by Index Recheck": 1,
        "Actual Loops": 2,
    }
    read = {"Shared Hit Blocks": 3, "Shared Read Blocks": 4, "Local Hit Blocks": 5}
    plan = Plan({"Node Type": "Limit", **read, "Plans": [scan]})

    assert (plan.buffers, plan.indexes) == (12, {"a"})
    assert [line.split() for line in plan.tree().splitlines()] == [
        ["buffers", "rows", "removed", "node"],
        ["7", "0", "0", "Limit"],
        ["0", "0", "16", "└─", "Index", "Scan", "using", "a", "(2", "times)"],
    ]


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

    def buffers():
        plans = plans_of(site, f"/api/optimized/{entry.path}")
        return sum(plan.buffers for plan in plans if "flight_departed" in plan.indexes)

    before = buffers()
    assert before
    flights.execute(
        "INSERT INTO flights_flight (airline_id, number, origin_id, destination_id,"
        " scheduled_departure, departed, distance_miles)"
        " SELECT airline_id, number, origin_id, destination_id, scheduled_departure + interval '2 years',"
        " departed + interval '2 years', distance_miles FROM flights_flight ORDER BY id LIMIT 10000"
    )
    assert buffers() >= before + 80
    flights.execute("SELECT brin_summarize_new_values('flight_departed')")  # as autovacuum does

    assert buffers() <= before + 5


@pytest.mark.parametrize("each", LISTS, ids=lambda each: each.name)
def test_plans_of_every_list_are_shown_as_trees(flights, capsys, each):  # noqa: ARG001 -- set up before
    call_command("plans", each.name)

    told = capsys.readouterr().out
    assert f"/api/naive/{each.name}/" in told
    assert f"/api/optimized/{each.name}/" in told
    assert "buffers " in told


def test_staff_are_shown_the_plans_of_a_path(site):
    answer = site.get(
        "/api/plans/?path=/api/naive/board/%3Forigin=JFK%26day=2013-07-01", **site.STAFF
    )

    told = answer.json()
    assert told["queries"] > 100
    assert len(told["plans"]) == 4
    assert any("flight_board" in line for line in told["plans"][0]["tree"])
    json.dumps(told)


@pytest.mark.parametrize("path", ["/nowhere/", "", "http://[::1", "//[::1/"])
def test_path_that_leads_nowhere_has_no_plans(site, path):
    assert site.get(f"/api/plans/?path={path}", **site.STAFF).status_code == 404


def test_plans_of_what_is_for_staff_are_those_of_a_refusal(site):
    told = site.get("/api/plans/?path=/api/plans/", **site.STAFF)

    assert told.json() == {"queries": 0, "plans": []}


@pytest.mark.parametrize("path", ["/api/plans/?path=/api/", "/api/catalogue/", "/api/naive/long/"])
def test_plans_are_for_staff(site, path):
    assert site.get(path).status_code == 403
    assert site.get(path, Authorization="Bearer wrong").status_code == 403
