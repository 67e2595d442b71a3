"""What fits, what does not, and that nothing is ever half loaded."""

import pytest
from django.db import transaction
from flights.models import Airport, Flight, Plane
from loading import files
from loading.load import load
from loading.rows import parsed
from loading.without_indexes import FOREIGN_KEYS, INDEXES, without_indexes


def lines(*changed):
    with files.flights_csv() as file:
        head = [next(file) for _ in range(4)]
    return head + list(changed)


def test_report_says_what_did_not_fit(loaded):
    assert loaded.rows["flight"] == 336_776
    assert loaded.rows["airline"] == 16
    assert loaded.rows["weather"] == 26_115
    assert loaded.without_tail_number == 2_512
    assert (loaded.of_unknown_planes, loaded.unknown_planes) == (50_094, 721)
    assert loaded.to_unknown_airports == 7_602
    assert loaded.repeats_of_the_natural_key == 24
    assert loaded.rejected_lines == 0
    assert any("50,094" in line for line in loaded.lines())


@pytest.mark.usefixtures("flights")
def test_plane_that_only_a_flight_names_has_its_tail_number_alone():
    unknown = Plane.objects.filter(manufacturer="")

    assert unknown.count() == 721
    assert Flight.objects.filter(plane__in=unknown).count() == 50_094


@pytest.mark.usefixtures("flights")
def test_every_flight_keeps_what_it_refers_to():
    assert Flight.objects.filter(plane=None).count() == 2_512
    assert Airport.objects.get(code="SJU").name  # known to the second source of airports


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2013,1,1\n", "3 fields instead of 19"),
        (
            "2013,1,1,517,515,x,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n",
            "'x'",
        ),
        (
            "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,75,2013-01-01T10:00:00Z\n",
            "75 minutes",
        ),
        (
            "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n",
            "origin",
        ),
        (
            "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,yesterday\n",
            "'yesterday'",
        ),
    ],
)
def test_broken_line_is_rejected_with_its_number_and_the_rest_is_kept(line, reason):
    rejected = []

    rows = list(parsed(lines(line), lambda number, why: rejected.append((number, why))))

    assert len(rows) == 3
    ((number, why),) = rejected
    assert number == 5
    assert reason in why


def test_load_that_fails_leaves_nothing_behind(flights):
    flights.execute(
        "TRUNCATE flights_weather, flights_flight, flights_plane, flights_airport, flights_airline"
    )
    too_large = (
        "2013,1,1,517,515,2,830,819,11,UA,99999,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n"
    )

    with pytest.raises(Exception, match="out of range"), transaction.atomic():
        load(lines(too_large))

    assert (Flight.objects.count(), Plane.objects.count(), Airport.objects.count()) == (0, 0, 0)


def test_indexes_and_keys_are_back_after_loading_without_them(flights):
    def state():
        cursor = flights.cursor
        return [
            sorted(cursor.execute(query, ["flights_flight"]).fetchall())
            for query in (INDEXES, FOREIGN_KEYS)
        ]

    flights.execute("SET CONSTRAINTS ALL IMMEDIATE")
    before = state()
    with without_indexes(flights.cursor, "flights_flight"):
        assert state() == [[], []]

    assert state() == before
    assert len(before[0]) == 6
    assert len(before[1]) == 4


@pytest.mark.usefixtures("flights")
def test_second_load_is_refused_by_the_keys_and_changes_nothing():
    with pytest.raises(Exception, match="duplicate key"), transaction.atomic():
        load(lines())

    assert Flight.objects.count() == 336_776
