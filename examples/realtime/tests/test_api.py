"""The process `web`: what it answers, and what it refuses."""

import json

import pytest
from django.test import Client
from flights.configured import redis

from .conftest import STAFF


@pytest.fixture
def client(outside):  # noqa: ARG001 -- set up before
    return Client()


def change(client, room, body, headers=STAFF, variant="boards"):
    return client.post(
        f"/api/{variant}/rooms/{room}/", body, content_type="application/json", headers=headers
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b"[]",
        b"{}",
        b'{"flight": "AA1", "gate": 7}',
        b'{"flight": "AA1", "gate": "A1\\u0000"}',
        b'{"flight": "AA1", "gate": "A1", "remark": "\\ud800"}',
        b'{"flight": "AA1", "gate": "A1", "remark": "%s"}' % (b"x" * 16_001),
        b'{"flight": "AA1", "gate": "A1", "why": ""}',
    ],
)
def test_a_change_that_cannot_be_understood_is_refused_with_the_reason(client, room, body):
    answer = change(client, room.name, body)

    assert answer.status_code == 400
    assert answer.json()["title"].startswith("a change has `flight` and `gate`")
    room.refresh_from_db()
    assert room.seq == 0


def test_only_the_desk_changes_a_flight(client, room):
    answer = change(client, room.name, '{"flight": "AA1", "gate": "A1"}', headers={})

    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["boards/rooms/ZZZ/", "nothing/rooms/JFK/", "boards/rooms/jfk/"])
def test_what_is_not_there_is_not_found(client, path):
    assert client.get(f"/api/{path}").status_code == 404


def test_a_booking_is_shown_to_nobody_without_a_ticket(client, booking):
    assert client.get(f"/api/boards/rooms/{booking.name}/").status_code == 404
    assert client.get(f"/api/wsgi_stream/rooms/{booking.name}/events").status_code == 404


def test_a_change_is_in_the_state_with_its_number(client, room):
    change(client, room.name, '{"flight": "AA1", "gate": "C3", "remark": "delayed"}')

    state = client.get(f"/api/boards/rooms/{room.name}/").json()
    assert state["at"] == f"{room.epoch}.1"
    assert [(each["gate"], each["remark"]) for each in state["state"]] == [("C3", "delayed")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"room": "JFK"}, 400),
        ({"room": "AAAAAA", "seconds": 0}, 400),
        ({"room": "AAAAAA", "seconds": True}, 400),
        ({"room": "AAAAAA"}, 404),
    ],
)
def test_a_session_is_for_a_booking_that_is_there(client, body, status):
    answer = client.post("/api/sessions/", json.dumps(body), "application/json", headers=STAFF)

    assert answer.status_code == status


def test_a_ticket_asks_for_a_session_that_lives(client, booking):
    said = json.dumps({"room": booking.name})
    session = client.post("/api/sessions/", said, "application/json", headers=STAFF).json()[
        "session"
    ]
    bearer = {"Authorization": f"Bearer {session}"}
    ticket = client.post("/api/tickets/", headers=bearer).json()["ticket"]
    assert 0 < redis.ttl(f"ticket:{ticket}") <= 30
    for said, status in ((f"bearer  {session}", 201), (f"Basic {session}", 401), (session, 401)):
        answer = client.post("/api/tickets/", headers={"Authorization": said})
        assert answer.status_code == status, said

    assert client.delete(f"/api/sessions/{session}/").status_code == 401
    staff = {"Authorization": STAFF["Authorization"].replace("Bearer", "bEARER ")}
    assert client.delete(f"/api/sessions/{session}/", headers=staff).status_code == 204
    assert client.post("/api/tickets/", headers=bearer).status_code == 401
    assert client.post("/api/tickets/", headers={"Authorization": "Bearer x"}).status_code == 401


def test_every_variant_is_listed_and_changes_the_same_flight(client, room):
    variants = client.get("/api/").json()["variants"]

    assert [each["name"] for each in variants][-1] == "boards"
    for each in variants:
        answer = change(client, room.name, '{"flight": "AA1", "gate": "A1"}', variant=each["name"])
        assert answer.status_code == 200, each
