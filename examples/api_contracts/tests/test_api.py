"""The service as its clients and operators meet it."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from flights.models import Booking, Flight
from flights.variants import VARIANTS

ROOT = Path(__file__).parent.parent
KEPT = "/api/kept"
JSON = "application/json"
TAG = {"If-Match": '"1"'}
pytestmark = pytest.mark.django_db


def shape(answer):
    """Return the status of a problem document that says it itself."""
    assert answer["Content-Type"] == "application/problem+json"
    told = (
        answer.json() if answer.content else {"type": 0, "title": 0, "status": answer.status_code}
    )
    assert told.keys() >= {"type", "title", "status"}
    assert told["status"] == answer.status_code
    return answer.status_code


def test_flights_are_loaded_once(capsys):
    call_command("prepare")

    assert Flight.objects.count() == 27_004
    assert Flight.objects.filter(delay_minutes=None).count() == 521
    assert "27,004 flights are there" in capsys.readouterr().out


def test_change_needs_the_version_and_tells_the_next(client):
    path = f"{KEPT}/flights/1/"
    assert client.get(path)["ETag"] == '"1"'

    assert shape(client.patch(path, {"bags": 2}, JSON)) == 428
    assert shape(client.patch(path, {"bags": 2}, JSON, headers={"If-Match": "1"})) == 400
    assert client.patch(path, {"bags": 2}, JSON, headers=TAG)["ETag"] == '"2"'
    assert shape(client.patch(path, {"bags": 3}, JSON, headers=TAG)) == 412
    assert client.get(path).json()["bags"] == 2
    assert shape(client.patch(f"{KEPT}/flights/30000/", {"bags": 3}, JSON, headers=TAG)) == 404


def test_change_and_its_answer_are_one_transaction(client):
    with CaptureQueriesContext(
        connection
    ) as seen:  # between two, somebody else's change would be told
        client.patch(f"{KEPT}/flights/1/", {"bags": 2}, JSON, headers=TAG)

    words = [each["sql"].split()[0] for each in seen.captured_queries]
    assert words == ["SAVEPOINT", "SELECT", "UPDATE", "SELECT", "RELEASE"]


def test_seat_is_booked_once(client):
    seat = {"flight": 7, "passenger": "Zo\u00eb", "seat": "12C"}
    booked = client.post(f"{KEPT}/bookings/", seat, JSON)
    assert (booked.status_code, booked.json()["passenger"]) == (201, "Zo\u00eb")

    assert client.delete(f"{KEPT}/bookings/{booked.json()['id']}/").status_code == 204
    assert shape(client.delete(f"{KEPT}/bookings/{booked.json()['id']}/")) == 404
    assert shape(client.post(f"{KEPT}/bookings/", seat | {"flight": 30_000}, JSON)) == 404
    assert not Booking.objects.filter(flight=7).exists()


def test_seat_that_is_taken_is_a_conflict(client):
    seat = {"flight": 10, "passenger": "Ada Lovelace", "seat": "1A"}

    assert shape(client.post(f"{KEPT}/bookings/", seat, JSON)) == 409


@pytest.mark.report(
    "flop-labs/technocore-chat#130",
    "20,000 nested brackets are a RecursionError, which no handler of bad JSON expects",
    "400, whoever meets the depth: the parser, or who walks through what it has parsed",
)
@pytest.mark.parametrize("depth", [400, 900, 1_500, 5_000, 20_000, 200_000])
def test_nested_body_is_refused_at_every_depth(client, depth):
    for body in ("[" * depth + "]" * depth, '{"flight":' * depth + "1" + "}" * depth):
        assert shape(client.post(f"{KEPT}/bookings/", body, JSON)) == 400


@pytest.mark.report(
    "encode/django-rest-framework#7448",
    "a NUL in a query parameter reaches the database, and is a 500",
    "400: no parameter of the contract has one",
)
@pytest.mark.parametrize("query", ["origin=%00", "day=%00", "number=%00", "%00=1", "format=xml"])
def test_odd_parameter_is_a_problem(client, query):
    assert shape(client.get(f"{KEPT}/flights/?{query}")) == 400


def test_whatever_is_wrong_has_one_shape(client):
    path = f"{KEPT}/bookings/"

    assert shape(client.get(path)) == 405
    assert client.get(path)["Allow"] == "POST, OPTIONS"
    assert shape(client.post(path, "seat 12C", "text/plain")) == 415
    assert shape(client.post(path, '{"flight":', JSON)) == 400
    assert shape(client.post(path, b"\xff", JSON)) == 400
    assert shape(client.get(f"{KEPT}/flights/first/")) == 404
    assert shape(client.get("/nothing")) == 404
    assert shape(client.get("/api/", headers={"Host": "elsewhere.test"})) == 400


@pytest.mark.report(
    "postmanlabs/openapi-to-postman#623",
    "of an operation that answers 204, the collection made accepts problems alone",
    "answered, whatever a client accepts",
)
def test_client_that_accepts_problems_alone_is_answered(client):
    for accepted in ("application/problem+json", "text/csv", ";"):
        assert client.get(f"{KEPT}/flights/1/", headers={"Accept": accepted}).json()["id"] == 1


@pytest.mark.report(
    "encode/django-rest-framework#4556",
    "what no handler expects is a page of HTML, which a client of an API cannot read",
    "a problem like all others, which tells nothing of the fault",
)
def test_fault_of_the_service_is_a_problem(monkeypatch):
    monkeypatch.setattr(Flight.objects, "filter", lambda **_: 1 / 0)
    client = Client(raise_request_exception=False)

    answer = client.get(f"{KEPT}/flights/")

    assert shape(answer) == 500
    assert "division" not in answer.content.decode()


@pytest.mark.report(
    "mozilla-services/tecken#3235",
    "a connection that is kept has ended while the database was looked after: each is one failed request",
    "it is asked before it is used, and replaced",
)
def test_connection_that_has_ended_is_replaced():
    with closing(connection.copy()) as kept:
        kept.connect()
        kept.close_if_unusable_or_obsolete()  # as each request begins
        with connection.cursor() as other:
            other.execute(
                "SELECT pg_terminate_backend(%s, 60000)", [kept.connection.info.backend_pid]
            )

        kept.close_if_unusable_or_obsolete()
        with kept.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)


def test_head_is_answered_as_get_is(client):
    for path in ("flights/?origin=JFK", "flights/1/"):
        assert client.head(f"{KEPT}/{path}").status_code == 200
    assert shape(client.head(f"{KEPT}/flights/?orgin=JFK")) == 400


def test_larger_body_than_django_reads_is_a_problem(client):
    answer = client.post(f"{KEPT}/bookings/", b'{"passenger": "' + b"x" * 3 * 2**20 + b'"}', JSON)

    assert shape(answer) == 400
    assert answer.json()["title"] == "The request cannot be read"


def test_more_parameters_than_django_reads_are_a_problem(client):
    query = "&".join(f"a{n}=1" for n in range(2000))

    assert shape(client.get(f"{KEPT}/flights/?{query}")) == 400


def test_page_beyond_the_last_is_empty(client):
    assert client.get(f"{KEPT}/flights/?page=1000&page_size=100").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("origin=JFK&day=2013-01-01", 236),
        ("destination=MIA&number=1141", 31),
        ("day=2013-02-01", 139),
    ],
)
def test_each_parameter_finds_what_it_names(client, query, count):
    assert client.get(f"{KEPT}/flights/?{query}").json()["count"] == count


def test_pages_hold_each_flight_once_in_the_order_of_ids(client):
    def page(number, size):
        told = client.get(f"{KEPT}/flights/?origin=JFK&page={number}&page_size={size}").json()
        return [each["id"] for each in told["results"]]

    client.patch(f"{KEPT}/flights/3/", {"bags": 1}, JSON, headers=TAG)  # the table has it last now
    flights = Flight.objects.filter(origin="JFK").order_by("id").values_list("id", flat=True)
    seen = [flight for number in (1, 2, 3) for flight in page(number, 7)]
    assert seen == page(1, 21) == [*flights[:21]]


@pytest.mark.report(
    "django/django#21994",
    "a day at the end of the calendar is an error of the server: the day after it has no date",
    "no flight leaves then",
)
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_first_and_last_day_of_the_calendar_are_days(client, day):
    assert client.get(f"{KEPT}/flights/?day={day}").json()["count"] == 0


@pytest.mark.report(
    "project-koku/koku#228",
    "a POST without the last slash is redirected, and comes back without its body",
    "404: a client that is sent elsewhere comes with GET",
)
@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
def test_address_without_its_slash_is_no_other_address(client, method):
    for path in ("flights/1", "bookings", "flights"):
        assert shape(getattr(client, method)(f"{KEPT}/{path}")) == 404


@pytest.mark.report(
    "coreruleset/coreruleset#2571",
    "a charset in the type of the body makes the application read other letters than its firewall has seen",
    "JSON is UTF-8, whatever the header says",
)
@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "ibm037", "nonsense"])
def test_charset_of_the_header_has_no_say(client, charset):
    seat = {"flight": 7, "passenger": "+AEE-", "seat": "12D"}
    media = f"{JSON}; charset={charset}"

    booked = client.generic("POST", f"{KEPT}/bookings/", json.dumps(seat), media)
    assert (booked.status_code, booked.json()["passenger"]) == (201, "+AEE-")
    if charset in ("utf-16", "ibm037"):
        body = json.dumps(seat | {"seat": "12E"}).encode(charset)
        assert shape(client.generic("POST", f"{KEPT}/bookings/", body, media)) == 400


@pytest.mark.report(
    "freeunitorg/freeunit#338",
    "of two lines If-Match the last counts: a right version in the first is refused",
    "the server joins the lines, and one of all tags has to match",
)
def test_one_of_the_tags_of_all_lines_has_to_match(client):
    lines = {"If-Match": '"1","other"'}  # as gunicorn and waitress hand on two lines

    assert client.patch(f"{KEPT}/flights/1/", {"bags": 2}, JSON, headers=lines).status_code == 200


def test_what_will_go_is_told_where_it_still_is(client):
    for path in ("flights/?page_size=1", "flights/1/"):
        answer = client.get(f"{KEPT}/{path}")
        assert answer["Deprecation"] == "@1782777600"  # 30 June 2026
        assert answer["Sunset"] == "Wed, 30 Jun 2027 00:00:00 GMT"
        assert 'http://testserver/api/kept/redoc/>; rel="deprecation"' in answer["Link"]
    assert "Sunset" not in client.get(f"{KEPT}/flights/30000/")
    assert "Sunset" not in client.get("/api/changed_in_place/flights/1/")


def test_every_variant_has_its_contract_and_its_pages(client):
    told = client.get("/api/").json()["variants"]

    assert [each["name"] for each in told] == [each.name for each in VARIANTS]
    for each in told:
        assert client.get(each["schema"]).json()["openapi"] == "3.1.1"
        for page in ("docs", "redoc"):
            text = client.get(f"/api/{each['name']}/{page}/").content.decode()
            assert each["schema"] in text
            for script in re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', text):
                assert script.startswith("/static/")
                with closing(client.get(script)) as answer:
                    assert answer.status_code == 200


def test_index_names_every_route_of_a_variant(client):
    client.get("/api/generated/flights/1/")  # with its first request a view set gets a method more
    told = {each["name"]: each["routes"] for each in client.get("/api/").json()["variants"]}

    assert told["kept"] == [
        "GET /flights/",
        "GET /flights/<int:id>/",
        "PATCH /flights/<int:id>/",
        "POST /bookings/",
        "DELETE /bookings/<int:id>/",
    ]
    assert told["generated"][-3:] == [
        "DELETE /flights/<str:pk>/",
        "POST /bookings/",
        "DELETE /bookings/<int:pk>/",
    ]
    assert len(told["generated"]) == 8


@pytest.mark.report(
    "tfranzel/drf-spectacular#1123",
    "the contract is made at each request, and of those at once some fail",
    "the contract is a file: all get the same",
)
def test_contract_is_the_same_for_all_who_ask_at_once():
    with ThreadPoolExecutor(16) as pool:
        asked = pool.map(lambda _: Client().get(f"{KEPT}/schema/").content, range(64))

    assert len(set(asked)) == 1


@pytest.mark.parametrize("wrong", [{}, {"release": "1999"}])
def test_replay_that_cannot_begin_says_why_in_one_sentence(wrong):
    with pytest.raises(CommandError, match=r"^\d+ at 127\.0\.0\.1:\d+: \[Errno"):
        call_command("replay", "kept", at="127.0.0.1:1", **wrong)


@pytest.fixture
def served(monkeypatch):
    """Where the service listens, within the transaction of this test."""
    ours, service = connections["default"], WSGIHandler()
    ours.inc_thread_sharing()
    monkeypatch.setattr(ours, "close_if_unusable_or_obsolete", lambda: None)  # after each request

    def within(environ, start_response):
        connections["default"] = ours
        with transaction.atomic():  # of each request, as a refused statement ends its own
            return service(environ, start_response)

    with make_server("127.0.0.1", 0, within, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
    ours.dec_thread_sharing()


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Leave the terminal to the tests."""


def test_replay_of_a_release_that_breaks_calls_ends_with_an_error(served, capsys):
    call_command("replay", "kept", at=served)
    assert capsys.readouterr().out.count("kept: ") == 12

    with pytest.raises(CommandError, match=r"^8 of 12 calls of 2025 are broken") as refused:
        call_command("replay", "changed_in_place", at=served)

    assert refused.value.returncode == 1
    call_command("replay", "changed_in_place", "--exit-zero", at=served)


def test_process_tells_that_it_serves(client):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "value",
    ["mysql://localhost/flights", "localhost", "postgres:///nexus", "postgres://u:secret@h:port/n"],
)
def test_mistake_in_the_environment_is_one_sentence(value):
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": value},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("DATABASE_URL")
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr


def test_settings_of_production_have_nothing_to_say(capsys):
    call_command("check", deploy=True, fail_level="INFO", tags=["security"])

    assert "no issues" in capsys.readouterr().out


def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
