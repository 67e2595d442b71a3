"""The service as its clients and its proxy meet it."""

import io
import json
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from wsgiref.util import setup_testing_defaults

import psycopg
import pytest
from config.wsgi import application
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from flights import views
from flights.models import Booking
from ways import configured
from ways.variants import VARIANTS

BODY = {"flight": "B6725", "passenger": "Ada"}


def book(client, key=None, body=BODY):
    headers = {"Idempotency-Key": key} if key is not None else {}
    said = body if isinstance(body, bytes) else json.dumps(body)
    return client.post("/api/bookings/", said, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        {"flight": "B6725"},
        {"flight": ["B6725"], "passenger": "Ada"},
        {"flight": "XX1", "passenger": "Ada"},
        {"flight": "B6725", "passenger": ""},
        {"flight": "B6725", "passenger": 7},
        {"flight": "B6725", "passenger": "Ada\x00"},
        {"flight": "B6725", "passenger": "\ud800"},
        {"flight": "B6725", "passenger": "A" * 101},
    ],
)
def test_what_is_no_booking_is_refused(client, body):
    answer = book(client, "some key", body)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("key", [None, "", "k" * 101, "k\x00", "k\n"])
def test_booking_without_a_key_that_can_be_kept_is_refused(client, key):
    assert book(client, key).status_code == 400


@pytest.mark.django_db
def test_second_request_with_a_key_answers_the_first_booking(client):
    key = uuid.uuid4().hex

    first, second = book(client, key), book(client, key)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Booking.objects.filter(key=key).count() == 1


@pytest.mark.django_db
def test_key_of_another_booking_is_refused(client):
    key = uuid.uuid4().hex
    book(client, key)

    assert book(client, key, BODY | {"passenger": "Grace"}).status_code == 422
    assert book(client, key, BODY | {"flight": "UA1545"}).status_code == 422


@pytest.mark.django_db
def test_models_are_what_the_migrations_make():
    call_command("makemigrations", check=True, dry_run=True)


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_one_books():
    key, barrier = uuid.uuid4().hex, Barrier(8)

    def at_once(_):
        barrier.wait(30)
        try:
            return book(Client(), key).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(at_once, range(8)))

    assert statuses == [200] * 7 + [201]


@pytest.mark.django_db
def test_migration_that_is_not_applied_is_named():
    assert configured.unapplied() == ""

    MigrationRecorder(connection).record_unapplied("flights", "0001_bookings")

    assert configured.unapplied() == "migration flights.0001_bookings is not applied"


def test_board_needs_no_database(client):
    # No mark `django_db`: pytest-django fails whatever asks the database.
    answer = client.get("/api/airports/JFK/")

    assert (answer.status_code, answer["X-Release"]) == (200, "1")
    assert {each["to"] for each in answer.json()["departures"]} >= {"MIA", "BOS"}


def test_airport_without_a_board_names_those_that_have_one(client):
    answer = client.get("/api/airports/AMS/")

    assert (answer.status_code, answer.json()["codes"]) == (404, ["EWR", "JFK", "LGA"])


def test_every_way_is_listed(client):
    said = client.get("/api/").json()

    assert [each["name"] for each in said["variants"]] == [each.name for each in VARIANTS]
    for path in said["boards"]:
        assert client.get(path).status_code == 200


def test_path_that_leads_nowhere_is_not_found(client):
    for path in ("/api/nothing/", "/nothing", "/healthz/"):
        assert client.get(path).status_code == 404


def test_error_tells_the_release_too(client, settings):
    settings.FAULT = "LGA"
    client.raise_request_exception = False

    answers = [client.get(f"/api/airports/{code}/") for code in ("EWR", "JFK", "LGA")]

    assert [each.status_code for each in answers] == [200, 200, 500]
    assert {each["X-Release"] for each in answers} == {"1"}


def test_release_that_cannot_book_shows_its_boards(client, settings):
    settings.FAULT = "bookings"
    client.raise_request_exception = False

    assert book(client, "key").status_code == 500
    assert client.get("/api/airports/JFK/").status_code == 200


@pytest.mark.parametrize("seconds", ["", "-1", "1.5", "6", "9" * 5000, "\u0663"])
def test_export_of_more_seconds_than_allowed_is_refused(client, seconds):
    answer = client.get("/api/airports/JFK/export/", {"seconds": seconds})

    assert answer.status_code == 400


def test_export_waits_for_its_seconds(client, monkeypatch):
    waited = []
    monkeypatch.setattr(views.time, "sleep", waited.append)

    answer = client.get("/api/airports/JFK/export/?seconds=3")

    assert (answer.status_code, waited) == (200, [3])


def test_health_needs_no_database(client):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_health_as_usual_asks_the_database(client, settings, django_assert_num_queries):
    settings.HEALTH_ASKS_DATABASE = True

    with django_assert_num_queries(1):
        assert client.get("/healthz").status_code == 200


@pytest.mark.report(
    "basecamp/kamal#992",
    "the proxy asks by the container's name, ALLOWED_HOSTS refuses it, and no release gets healthy",
    "`/healthz` is answered before the host is looked at, and nothing else is",
)
def test_probe_is_answered_whatever_it_calls_the_host(client):
    for host in ("7c7168a662c1:8000", "10.42.8.201:8000", "under_score"):
        assert client.get("/healthz", headers={"host": host}).status_code == 200
        assert client.get("/api/", headers={"host": host}).status_code == 400


@pytest.mark.report(
    "mdn/developer-portal#233",
    "with the redirect to HTTPS the probe gets 301, and the site goes down",
    "`/healthz` is answered over HTTP, and everything else is redirected",
)
def test_probe_is_answered_where_clients_are_redirected_to_https(client, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/healthz").status_code == 200
    assert client.get("/api/").status_code == 301


@pytest.mark.report(
    "8gears/n8n-helm-chart#308",
    "after the database was away, the health check says ok and no request is ever served again",
    "the next booking gets a new connection: health without the database needs that",
)
@pytest.mark.django_db(transaction=True)
def test_service_recovers_from_a_lost_connection_without_a_restart():
    def post():
        body = json.dumps(BODY).encode()
        environ = {"HTTP_HOST": "localhost", "HTTP_IDEMPOTENCY_KEY": uuid.uuid4().hex}
        environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        environ |= {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/bookings/"}
        environ["wsgi.input"] = io.BytesIO(body)
        setup_testing_defaults(environ)
        said = []
        answer = application(environ, lambda status, _: said.append(status))
        answer.close()
        return said

    first, lost = post(), connection.connection.info.backend_pid
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 60000)", [lost])

    assert (first, post()) == (["201 Created"], ["201 Created"])
    assert connection.connection.info.backend_pid != lost
