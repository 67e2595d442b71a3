"""The service over HTTP: one shape of errors, and what a request may not say."""

import dataclasses
import json
import os

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client
from flights import configured
from flights.models import Booking, Flight, Passenger
from flights.variants import VARIANTS
from sessions.key_file import KeyFile

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


@pytest.mark.report(
    "flop-labs/technocore-chat#130",
    "a body of 20,000 brackets is a 500: the JSON decoder's RecursionError is no ValueError",
    "the parser answers 400, as it does to what is no JSON",
)
def test_text_that_is_no_json_and_bodies_of_another_kind_are_refused():
    url = "sessions/login/"
    for text in ("{", "[" * 20_000, "NaN", "\ufeff{}", '{"a":' + "9" * 5_000 + "}"):
        is_a_problem(call("post", url, data=text, content_type="application/json"), 400)
    is_a_problem(call("post", url, data="a=b", content_type="text/plain"), 415)


@pytest.mark.report(
    "dimagi/open-chat-studio#4411",
    "a JSON body over Django's limit is answered with a page of HTML, and a 400",
    "a 413 in the shape of all other errors",
)
def test_a_body_that_is_too_large_is_a_problem():
    is_a_problem(call("post", "sessions/login/", {"username": "a" * 3_000_000}), 413)


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


def test_a_login_that_stores_its_hash_anew_begins_a_session(user):
    users = get_user_model().objects.filter(pk=user)
    users.update(password=PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1_000))
    said = {"username": users.get().username, "password": PASSWORD}
    token = call("post", "sessions/login/", said).json()["access"]

    assert "$1000$" not in users.get().password
    assert call("get", "sessions/me/", token=token).status_code == 200


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


@pytest.mark.report(
    "mozilla/sumo#2815",
    "%00 in a filter of a list reaches PostgreSQL, which takes no NUL: a 500",
    "filters are read by a form, as bodies are: 400",
)
@pytest.mark.parametrize(
    "query",
    [
        "booking__passenger__passport__startswith=A",
        "ordering=booking__passenger__passport",
        "_connector=OR",
        "number__regex=(",
        "number=%00",
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


@pytest.mark.report(
    "netbox-community/netbox#21988",
    "a body names an object that its sender may not see, and it is found",
    "it is looked up where the sender sees, and is not there",
)
def test_a_desk_cannot_name_a_passenger_who_is_on_none_of_its_flights(tokens_of, user):
    Passenger.objects.using("owner").create(user_id=user, name="x", passport="SECRET")
    flight = Flight.objects.filter(airline="UA")[0].pk
    body = {"flight": flight, "passenger": user, "seat": "9Z"}
    hidden = is_a_problem(call("post", "sessions/bookings/", body, tokens_of("desk-UA")), 400)
    missing = call("post", "sessions/bookings/", body | {"passenger": 2**31}, tokens_of("desk-UA"))

    assert hidden.content == missing.content.replace(b"2147483648", str(user).encode())
    assert not Booking.objects.using("owner").filter(passenger=user).exists()


def test_a_booking_cannot_be_moved_out_of_a_desks_sight(tokens_of):
    token = tokens_of("desk-UA")
    own = Booking.objects.using("owner").filter(flight__airline="UA")[0].pk
    away = Flight.objects.exclude(airline="UA")[0].pk

    is_a_problem(call("patch", f"sessions/bookings/{own}/", {"flight": away}, token), 404)
    assert Booking.objects.using("owner").get(pk=own).flight.airline == "UA"


@pytest.mark.parametrize(
    "changes",
    [
        {"seat": "\0"},
        {"seat": "12AB"},
        {"seat": "\ud800"},
        {"flight": 0},
        {"flight": {}},
        {"flight": 10**400},
        {"flight": float("1e400")},
        {"passenger": None},
    ],
)
def test_a_booking_that_cannot_be_is_refused_by_field(tokens_of, changes):
    token = tokens_of("passenger-1")
    own = Booking.objects.using("owner").filter(passenger__user__username="passenger-1")[0].pk
    text = json.dumps(changes).replace("Infinity", "1e400")  # which is the same to a JSON parser
    answer = call("patch", f"sessions/bookings/{own}/", token=token, data=text)

    assert list(is_a_problem(answer, 400).json()["errors"]) == list(changes)


@pytest.mark.parametrize(
    "name",
    ["X-Authorization", "Proxy-Authorization", "X-Access-Token", "Cookie", "X-Forwarded-User"],
)
def test_a_token_anywhere_else_is_nobodys(token, name):
    answer = Client(headers={name: f"access={token}"}).get(
        f"/api/sessions/me/?access_token={token}"
    )

    is_a_problem(answer, 401)


@pytest.mark.report(
    "jetkvm/cloud-api#85",
    "`bearer` in small letters, or with two spaces after it, is a 401",
    "the scheme has no case, and any number of spaces; of two tokens in one header none is taken",
)
@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("bEARER {0}", 200),
        ("Bearer   {0}", 200),
        ("Bearer {0}, Bearer {0}", 401),
        ("Bearer {0} {0}", 401),
    ],
)
def test_how_a_token_is_introduced(token, said, status):
    answer = Client(headers={"Authorization": said.format(token)}).get("/api/sessions/me/")

    assert answer.status_code == status


@pytest.mark.report(
    "repsyio/repsy#176",
    "the refresh endpoint takes an access token, and others a refresh token: the same signature",
    "they differ in kind, key and form",
)
def test_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(token, issued):
    is_a_problem(call("post", "sessions/refresh/", {"refresh": token}), 401)
    is_a_problem(call("get", "sessions/me/", token=issued.refresh), 401)


@pytest.mark.parametrize("method", ["head", "options", "trace"])
def test_no_other_method_tells_of_a_foreign_booking(tokens_of, method):
    token = tokens_of("passenger-1")
    foreign = Booking.objects.using("owner").exclude(passenger__user__username="passenger-1")[0]
    answers = [call(method, f"sessions/bookings/{pk}/", token=token) for pk in (foreign.pk, 2**62)]

    assert answers[0].status_code == answers[1].status_code < 500
    assert answers[0].content == answers[1].content
    is_a_problem(call("options", "sessions/bookings/"), 401)


def test_many_at_once_and_a_method_in_a_header_or_a_body_change_nothing(tokens_of):
    token = tokens_of("passenger-1")
    before = list(Booking.objects.using("owner").values_list())
    own = Booking.objects.using("owner").filter(passenger__user__username="passenger-1")[0].pk
    is_a_problem(call("post", "sessions/bookings/", [{"seat": "1A"}], token), 400)
    for method in ("put", "patch", "delete"):
        is_a_problem(call(method, "sessions/bookings/", [{"id": own, "seat": "1B"}], token), 405)
    is_a_problem(call("post", f"sessions/bookings/{own}/", {"_method": "DELETE"}, token), 405)
    call("patch", f"sessions/bookings/{own}/", {"id": 1, "reference": "X"}, token)

    assert list(Booking.objects.using("owner").values_list()) == before


def test_an_address_without_its_slash_and_a_foreign_host_are_problems():
    is_a_problem(call("post", "sessions/login", {"username": "a", "password": "b"}), 404)
    is_a_problem(Client(headers={"Host": "evil.example"}).get("/api/sessions/flights/"), 400)


@pytest.mark.report(
    "smallrye/smallrye-jwt#373",
    "keys that cannot be read make every good token a 401, and clients sign their users out",
    "503 and Retry-After; with the keys of before in memory they are used",
)
def test_keys_that_were_never_read_are_no_fault_of_a_token(token, monkeypatch, tmp_path):
    access = dataclasses.replace(configured.access(), keys=KeyFile(tmp_path / "no.json").keys)
    monkeypatch.setattr(configured, "access", lambda: access)

    assert is_a_problem(call("get", "sessions/me/", token=token), 503)["Retry-After"] == "1"


def test_a_defect_is_a_problem_and_tells_nothing(monkeypatch):
    monkeypatch.setattr(configured, "gate", None)

    answer = call("post", "sessions/login/", {"username": "staff", "password": PASSWORD})
    assert "NoneType" not in is_a_problem(answer, 500).content.decode()


def test_public_keys_hold_no_private_half():
    keys = call("get", "sessions/keys/").json()["keys"]

    assert [sorted(each) for each in keys] == [["crv", "kid", "kty", "use", "x"]]


def test_a_path_that_leads_nowhere_and_a_method_that_is_none():
    is_a_problem(call("get", "sessions/nowhere/"), 404)
    is_a_problem(call("delete", "sessions/login/"), 405)
