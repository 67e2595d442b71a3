"""The service over HTTP: one shape of errors, and what a request may not say."""

import json
import os

import pytest
from django.test import Client
from flights.models import Booking, Flight
from flights.variants import VARIANTS

PASSWORD = os.environ["STAFF_TOKEN"]


def call(method, path, body=None, token="", **more):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = Client(raise_request_exception=False, headers=headers)
    more = {"data": json.dumps(body), "content_type": "application/json"} | more
    return client.generic(method.upper(), f"/api/{path}", **more)


def is_a_problem(answer, status):
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"]
    return answer


def test_every_variant_is_listed_with_paths_that_are_there():
    listed = call("get", "").json()["variants"]

    assert [each["name"] for each in listed] == [each.name for each in VARIANTS]
    for each in listed:
        for path in each["paths"]:
            found = Client().options(path.replace("<int:pk>", "1"))
            assert found.status_code in (200, 401), path


@pytest.mark.parametrize(
    "body", [None, [], {}, "x", {"username": "a"}, {"username": {}, "password": []}]
)
def test_a_login_that_is_none_is_the_clients_mistake(body):
    is_a_problem(call("post", "sessions/login/", body), 400)


def test_text_that_is_no_json_and_bodies_of_another_kind_are_refused():
    url = "sessions/login/"
    is_a_problem(call("post", url, data="{", content_type="application/json"), 400)
    is_a_problem(call("post", url, data="a=b", content_type="text/plain"), 415)


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer():
    wrong = call("post", "sessions/login/", {"username": "staff", "password": "no"})
    unknown = call("post", "sessions/login/", {"username": "nobody", "password": "no"})

    is_a_problem(wrong, 401)
    assert wrong["WWW-Authenticate"] == "Bearer"
    assert wrong.content == unknown.content
    assert dict(wrong.items()) == dict(unknown.items())


def test_who_signs_in_gets_tokens_that_nobody_may_keep():
    answer = call("post", "sessions/login/", {"username": "staff", "password": PASSWORD})

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert sorted(answer.json()) == ["access", "refresh"]


def test_a_full_gate_says_when_to_come_back(fresh_gate):
    with fresh_gate.passed():
        answer = call("post", "sessions/login/", {"username": "staff", "password": PASSWORD})

    assert is_a_problem(answer, 503)["Retry-After"] == "1"


def test_a_refused_password_ends_no_session(token):
    answer = call("post", "sessions/password/", {"old": "wrong", "new": "x"}, token)

    is_a_problem(answer, 401)
    assert call("get", "sessions/me/", token=token).status_code == 200


@pytest.mark.parametrize("said", ["Bearer", "Bearer ", "Basic eDp4", "Bearer a b", "Bearer é"])
def test_an_authorization_that_is_none_is_refused_and_not_anonymous(said):
    answer = Client(headers={"Authorization": said}).get("/api/sessions/flights/")

    assert is_a_problem(answer, 401)["WWW-Authenticate"] == "Bearer"


def test_flights_are_public_and_show_who_asks_their_own(tokens_of):
    nobody = call("get", "sessions/flights/").json()
    staff = call("get", "sessions/flights/", token=tokens_of("staff")).json()

    assert {each["yours"] for each in nobody} == {0}
    assert sum(each["yours"] for each in staff) >= 30


@pytest.mark.parametrize(
    "query",
    [
        "booking__passenger__passport__startswith=A",
        "ordering=booking__passenger__passport",
        "_connector=OR",
        "number__regex=(",
    ],
)
def test_a_filter_that_nobody_named_is_refused(query):
    is_a_problem(call("get", f"sessions/flights/?{query}"), 400)


def test_what_is_not_yours_is_answered_as_what_is_not_there(tokens_of):
    token = tokens_of("passenger-1")
    foreign = Booking.objects.using("owner").exclude(passenger__user__username="passenger-1")[0].pk
    for method, path in (("get", ""), ("patch", ""), ("delete", ""), ("post", "check_in/")):
        answers = [
            is_a_problem(call(method, f"sessions/bookings/{pk}/{path}", {}, token), 404).content
            for pk in (foreign, 2**62, 10**30)
        ]
        assert answers[0] == answers[1] == answers[2]


def test_a_booking_cannot_be_moved_out_of_a_desks_sight(tokens_of):
    token = tokens_of("desk-UA")
    own = Booking.objects.using("owner").filter(flight__airline="UA")[0].pk
    away = Flight.objects.exclude(airline="UA")[0].pk

    is_a_problem(call("patch", f"sessions/bookings/{own}/", {"flight": away}, token), 404)
    assert Booking.objects.using("owner").get(pk=own).flight.airline == "UA"


@pytest.mark.parametrize(
    "changes", [{"seat": "\0"}, {"seat": "12AB"}, {"flight": 0}, {"flight": {}}]
)
def test_a_booking_that_cannot_be_is_refused_by_field(tokens_of, changes):
    token = tokens_of("passenger-1")
    own = Booking.objects.using("owner").filter(passenger__user__username="passenger-1")[0].pk
    answer = call("patch", f"sessions/bookings/{own}/", changes, token)

    assert list(is_a_problem(answer, 400).json()["errors"]) == list(changes)


def test_public_keys_hold_no_private_half():
    keys = call("get", "sessions/keys/").json()["keys"]

    assert [sorted(each) for each in keys] == [["crv", "kid", "kty", "use", "x"]]


def test_a_path_that_leads_nowhere_and_a_method_that_is_none():
    is_a_problem(call("get", "sessions/nowhere/"), 404)
    is_a_problem(call("delete", "sessions/login/"), 405)
