"""What each list says, word for word; that the other variants say the same is for test_queries.py."""

from datetime import UTC, datetime

import pytest
from django.db import connections
from flights.lists import LISTS
from flights.models import Airport, Flight
from plans.capture import captured

HAWAIIAN = {"id": 7217, "flight": "HA 51", "scheduled_departure": "2013-01-09T14:00Z"}
FIRST = {
    "board/?origin=JFK&day=2013-07-01": {
        "flight": "B6 418",
        "scheduled_departure": "2013-07-01T00:00Z",
        "airline": "JetBlue Airways",
        "destination": {"code": "BOS", "name": "General Edward Lawrence Logan Intl"},
        "plane": {"model": "ERJ 190-100 IGW", "seats": 20},
    },
    "planes/?": {
        "tail_number": "D942DN",
        "manufacturer": "",
        "model": "",
        "latest": [
            {"flight": flight, "scheduled_departure": moment, "origin": origin, "destination": to}
            for flight, moment, origin, to in (
                ("DL 781", "2013-07-05T16:59Z", "LGA", "ATL"),
                ("DL 1959", "2013-03-24T12:35Z", "JFK", "MCO"),
                ("DL 1685", "2013-03-23T17:00Z", "LGA", "MCO"),
            )
        ],
    },
    "delays/?origin=JFK&destination=LAX": {
        "flight": "DL 2363",
        "scheduled_departure": "2013-03-19T01:00Z",
        "airline": "Delta Air Lines Inc.",
        "model": "757-2Q8",
        "delay_minutes": 800,
    },
    "departed/?since=2013-07-01T10:00:00Z": {
        "flight": "UA 597",
        "scheduled_departure": "2013-07-01T09:59Z",
        "airline": "United Air Lines Inc.",
        "destination": {"code": "BOS", "name": "General Edward Lawrence Logan Intl"},
        "plane": {"model": "A320-232", "seats": 200},
    },
    "airports/?text=kennedy": {
        "code": "2GA0",
        "name": "Kennedy Intranational Airport",
        "city": "Newborn",
        "country": "US",
    },
    "pages/?order=delay": HAWAIIAN | {"origin": "JFK", "destination": "HNL", "delay_minutes": 1301},
}
MONTH = [
    ("EWR", 10_478, 282, 22.27, 11),
    ("JFK", 10_025, 216, 23.98, 7),
    ("LGA", 8_925, 458, 19.17, 8),
]


def told(site, path):
    return site.get(f"/api/optimized/{path}").json()


@pytest.mark.parametrize("path", FIRST)
def test_first_row_of_each_list(site, path):
    rows = "size" if path.startswith("pages") else "limit"

    assert next(iter(told(site, f"{path}&{rows}=1").values())) == [FIRST[path]]


def test_report_of_a_month(site):
    fields = ("airport", "flights", "cancelled", "mean_delay", "wet_hours")

    said = told(site, "report/?month=2013-07")["airports"]

    assert said == [dict(zip(fields, row, strict=True)) for row in MONTH]


def test_minutes_and_limits_are_those_that_were_asked_for(site):
    route = "delays/?origin=JFK&destination=LAX"

    assert len(told(site, f"{route}&minutes=300&limit=500")["delayed"]) == 15
    assert len(told(site, f"{route}&minutes=15&limit=70")["delayed"]) == 70
    assert len(told(site, "board/?origin=JFK&day=2013-07-01&limit=70")["departures"]) == 70
    assert len(told(site, "departed/?since=2013-07-01T10:00:00Z&minutes=1")["departed"]) == 4
    assert len(told(site, "airports/?text=international&limit=70")["airports"]) == 70


def test_flight_without_plane_and_delay_is_shown_without(site):
    here, there = Airport.objects.get(code="JFK"), Airport.objects.get(code="LAX")
    moment = datetime(2050, 1, 1, 23, 59, 59, tzinfo=UTC)
    flight = {"airline_id": "UA", "number": 1, "distance_miles": 1, "scheduled_departure": moment}
    Flight.objects.create(**flight, origin=here, destination=there)
    Flight.objects.create(**flight, origin=there, destination=here, departure_delay=99)

    (shown,) = told(site, "board/?origin=JFK&day=2050-01-01")["departures"]
    assert (shown["flight"], shown["plane"]) == ("UA 1", None)
    (late,) = told(site, "delays/?origin=LAX&destination=JFK&minutes=99")["delayed"]
    assert (late["model"], late["delay_minutes"]) == (None, 99)
    (month,) = told(site, "report/?month=2050-01")["airports"]
    assert (month["flights"], month["cancelled"], month["mean_delay"]) == (1, 1, None)


def test_links_lead_forth_and_back(site):
    first = told(site, "pages/?size=2&order=delay")
    second = told(site, f"pages/{first['next']}")
    back = told(site, f"pages/{second['previous']}")

    assert first["previous"] is None
    assert len(second["flights"]) == len(back["flights"]) == 2
    assert back["flights"] == first["flights"] != second["flights"]


@pytest.mark.parametrize("each", LISTS, ids=lambda each: each.name)
def test_every_statement_goes_over_the_pool(loaded, django_db_blocker, client, each):  # noqa: ARG001
    with django_db_blocker.unblock(), captured() as found:
        answer = client.get(f"/api/optimized/{each.name}/?{each.example}")
        connections["pooled"].close()

    assert answer.status_code == 200
    assert {statement.database for statement in found} == {"pooled"}


@pytest.mark.parametrize("each", [each for each in LISTS if each.rows], ids=lambda each: each.name)
def test_list_has_as_many_rows_as_its_parameter_says(site, each):
    said, *_ = told(site, f"{each.name}/?{each.example}&{each.rows}=7").values()

    assert len(said) == 7
