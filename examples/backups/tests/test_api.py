"""Bookings over HTTP: what is refused, and that the ledger balances."""

import json
import uuid

import pytest
from django.db.models import Sum
from django.test import Client
from flights.ledger import open_accounts
from flights.models import Account, Booking

pytestmark = pytest.mark.django_db
GOOD = {"reference": "r1", "payer": 1, "payee": 2, "cents": 250}


@pytest.fixture(autouse=True)
def accounts(db):  # noqa: ARG001 -- set up before
    assert open_accounts() == 100


def book(variant: str = "received", **said: object):
    body = json.dumps(GOOD | said)
    return Client().post(f"/api/{variant}/bookings/", body, content_type="application/json")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"cents": 0}, 400),
        ({"cents": 2**31}, 400),
        ({"cents": 1.5}, 400),
        ({"cents": True}, 400),
        ({"payee": 1}, 400),
        ({"reference": ""}, 400),
        ({"reference": "a b"}, 400),
        ({"reference": "x" * 41}, 400),
        ({"reference": None}, 400),
        ({"payee": 4711}, 404),
    ],
)
def test_what_is_no_booking_moves_nothing(said, status):
    assert book(**said).status_code == status
    assert not Booking.objects.exists()
    assert not Account.objects.exclude(balance_cents=0).exists()


def test_body_that_is_no_json_is_refused():
    answer = Client().post("/api/received/bookings/", b"\xff", content_type="application/json")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_booking_moves_its_amount_once():
    assert book().status_code == 201
    assert book().status_code == 409
    assert Account.objects.get(id=1).balance_cents == -250
    assert Account.objects.get(id=2).balance_cents == 250


def test_ledger_balances_after_many_bookings():
    for number in range(40):
        payer, payee = number % 7 + 1, number % 5 + 10
        assert book(reference=uuid.uuid4().hex, payer=payer, payee=payee).status_code == 201

    assert Account.objects.aggregate(Sum("balance_cents"))["balance_cents__sum"] == 0


def test_index_lists_the_ways_and_others_are_not_found():
    names = [each["name"] for each in Client().get("/api/").json()["variants"]]

    assert names == ["nightly_dump", "volume_copy", "archive_default", "replica", "received"]
    assert book("tape").status_code == 404
    assert Client().get("/no/such/path").status_code == 404
    assert Client().get("/healthz").status_code == 200
