"""What fits, what does not, and that nothing is ever half loaded."""

import hashlib

import pytest
from django.db import connection, transaction
from flights.models import Airline, Airport, Flight, Plane, Weather
from loading import files
from loading.export import stream
from loading.load import fill
from loading.without_indexes import SQL, without_indexes

CHECKSUMS = {
    "airlines.csv.xz": "a8ebf22a327a67c0c869cb2504247e4ea1dd54ec7640479835065884f575888c",
    "airports.csv.xz": "bbd0f5e399a847a8a6de655f032664e93cec1dafd956b4782947b3100cf95396",
    "flights.csv.xz": "7c579d03611f123eafdd2aa917dc546da82d58f0306d05899c7562cf43659c37",
    "planes.csv.xz": "38fc65578f1d1223b8470b1ec4742f056c19af3c4493bec432d34dfc627b2fd3",
    "weather.csv.xz": "250ce55859c0bbf404b4bf125ea382685629e42a136d16c522a9990a9dec90dc",
}


def test_data_is_what_the_counts_were_taken_from():
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files.DATA.glob("*.xz")
    }

    assert found == CHECKSUMS


@pytest.mark.usefixtures("flights")
def test_every_line_is_loaded():
    counts = {table: table.objects.count() for table in (Airline, Airport, Plane, Flight, Weather)}

    assert counts == {Airline: 16, Airport: 28_220, Plane: 4_043, Flight: 336_776, Weather: 26_115}


@pytest.mark.usefixtures("flights")
def test_plane_that_only_a_flight_names_has_its_tail_number_alone():
    unknown = Plane.objects.filter(manufacturer="")

    assert unknown.count() == 721
    assert Flight.objects.filter(plane__in=unknown).count() == 50_094


@pytest.mark.usefixtures("flights")
def test_every_flight_keeps_what_it_refers_to():
    assert Flight.objects.filter(plane=None).count() == 2_512
    assert Airport.objects.get(code="SJU").name  # known to the second source of airports


HEAD = b",".join(b"field" for _ in range(19)) + b"\n"
GOOD = b",,,,,2,,,11,UA,1545,N14228,EWR,IAH,227,1400,,15,2013-01-01T10:00:00Z\n"


def empty():
    with connection.cursor() as cursor:
        names = ("weather", "flight", "plane", "airport", "airline")
        cursor.execute(f"TRUNCATE {', '.join(f'flights_{name}' for name in names)}")


def cut_off():
    yield HEAD + GOOD
    raise OSError("the disk is gone")


@pytest.mark.usefixtures("flights")
@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (cut_off(), "the disk is gone"),
        ([HEAD, GOOD.replace(b"UA", b"XX")], "violates foreign key"),
    ],
    ids=["cut off", "of no airline"],
)
def test_load_that_fails_leaves_nothing_behind(monkeypatch, lines, why):
    empty()
    monkeypatch.setattr(files, "airports_everywhere", lambda: iter(()))  # 1,458 are enough

    with pytest.raises(Exception, match=why), transaction.atomic():
        fill(lines)

    assert (Flight.objects.count(), Plane.objects.count(), Airport.objects.count()) == (0, 0, 0)


@pytest.mark.usefixtures("flights")
def test_moment_of_departure_is_the_sum_that_it_stands_for():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM flights_flight WHERE departed IS DISTINCT FROM"
            " scheduled_departure + departure_delay * interval '1 minute'"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.usefixtures("flights")
def test_stream_exports_what_the_rows_are():
    lines = b"".join(stream(connection, 2_000)).decode().splitlines()

    assert lines[0] == "id,flight,scheduled_departure,origin,destination,departure_delay"
    assert lines[1:] == [
        f"{flight.pk},{flight.airline_id} {flight.number},"
        f"{flight.scheduled_departure:%Y-%m-%dT%H:%MZ},"
        f"{flight.origin_id},{flight.destination_id},"
        f"{'' if flight.departure_delay is None else flight.departure_delay}"
        for flight in Flight.objects.order_by("id")[:2_000]
    ]


@pytest.mark.usefixtures("loaded")
def test_stream_that_is_left_early_gives_its_connection_back(django_db_blocker):
    with django_db_blocker.unblock():
        mine = connection.copy()
        blocks = stream(mine, 300_000)
        assert next(blocks).startswith(b"id,flight,")

        blocks.close()

        with mine.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
        mine.close()


def test_indexes_and_keys_are_back_after_loading_without_them(flights):
    def state():
        return sorted(flights.cursor.execute(SQL, {"table": "few"}).fetchall())

    flights.execute("CREATE TABLE few (LIKE flights_flight INCLUDING ALL)")
    for name in ("airline", "plane"):
        flights.execute(f"ALTER TABLE few ADD FOREIGN KEY ({name}_id) REFERENCES flights_{name}")
    before = state()
    with without_indexes(flights.cursor, "few"):
        assert state() == []
        flights.execute("INSERT INTO few SELECT * FROM flights_flight LIMIT 100")

    assert state() == before
    assert len(before) == 7 + 2


@pytest.mark.usefixtures("flights")
def test_second_load_is_refused_by_the_keys_and_changes_nothing():
    with pytest.raises(Exception, match="duplicate key"), transaction.atomic():
        fill([HEAD, GOOD])

    assert Flight.objects.count() == 336_776
