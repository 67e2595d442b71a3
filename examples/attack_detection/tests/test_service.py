"""The service: who is refused, what is noted, what is said of the settings."""

import base64
from dataclasses import replace

import pytest
from detector.sightings import Verdict
from django.core.management import call_command
from django.core.management.base import CommandError, SystemCheckError
from flights import configured
from flights.management.commands import replay
from flights.variants import VARIANTS
from kept.keeper import Pipeline
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

CLIENT = {"X-Forwarded-For": "8.8.8.8, 192.0.2.1"}
PATH = "/api/detector/airports/JFK/"


@pytest.fixture
def noted(settings, monkeypatch):
    settings.TRUSTED_PROXIES = "127.0.0.1"
    configured.proxies.cache_clear()
    notes = []

    class Reporter:
        @staticmethod
        def note(variant, sighting):
            notes.append((variant, sighting))

    monkeypatch.setattr(configured, "reporter", Reporter)
    # A busy machine may stop Redis for longer than a request waits for it.
    pool = configured.refusals("detector")._redis.connection_pool
    pool.connection_kwargs.update(socket_timeout=20, socket_connect_timeout=20)
    yield notes
    configured.proxies.cache_clear()


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_what_was_answered_is_noted_without_the_query(client, noted):
    assert client.get(f"{PATH}?password=x", headers=CLIENT).status_code == 200

    ((variant, seen),) = noted
    assert variant == "detector"
    assert (seen.client, seen.kind, seen.path, seen.account) == ("192.0.2.1/32", "ok", PATH, "")


@pytest.mark.parametrize(
    ("path", "headers", "kind"),
    [
        ("/api/detector/.env", {}, "trap"),
        ("/wp-login.php", {}, "trap"),
        ("/.env", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, "missing"),
        ("/.env", {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, "missing"),
        ("/nothing", {}, "missing"),
        ("/api/", {"Authorization": "Basic %%%"}, "ok"),
    ],
)
def test_kinds(client, noted, path, headers, kind):
    client.get(path, headers=CLIENT | headers)

    assert [seen.kind for _, seen in noted] == [kind]


def test_accounts_that_fail_and_sign_in_are_noted_by_a_keyed_hash(client, noted):
    for scheme, password, status in (("Basic", "wrong", 401), ("basic ", "ada-secret", 200)):
        said = basic("ada", password).replace("Basic", scheme)
        headers = CLIENT | {"Authorization": said}
        answer = client.post("/api/detector/login/", headers=headers)
        assert answer.status_code == status
    headers = CLIENT | {"Authorization": basic("partner-1", "partner-1-secret")}
    client.get(PATH, headers=headers)

    first, second, third = (seen for _, seen in noted)
    assert first.kind == "login failed"
    assert first.account == second.account != ""
    assert (first.peers, second.peers, third.peers) == ("address", "person", "partner")
    assert "ada" not in first.account


def test_picture_of_another_page_is_refused_and_not_noted(client, noted):
    said = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}

    assert client.get("/wp-login.php", headers=CLIENT | said).status_code == 403
    assert noted == []


def test_who_is_on_the_list_is_refused(client, noted):
    refusals = configured.refusals("detector")
    refusals.add(Verdict("192.0.2.0/24", "logins", ""))
    assert client.get(PATH, headers=CLIENT).status_code == 200
    assert client.post("/api/detector/login/", headers=CLIENT).status_code == 403
    refusals.add(Verdict("192.0.2.1/32", "all", ""))
    assert client.get(PATH, headers=CLIENT).status_code == 403
    assert len(noted) == 1
    refusals._redis.delete("refused:detector:192.0.2.0/24", "refused:detector:192.0.2.1/32")


@pytest.mark.usefixtures("noted")
def test_without_redis_nobody_is_refused(client, monkeypatch):
    away = Redis(port=1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(configured.refusals("detector"), "_redis", away)

    assert client.get(PATH, headers=CLIENT).status_code == 200


def test_from_inside_nothing_is_noted(client, noted):
    assert client.get("/healthz").status_code == 200
    assert noted == []


@pytest.mark.django_db
@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize(
    ("said", "status"), [("Bearer right", 200), ("bearer  right", 200), ("Basic right", 403)]
)
def test_case_of_the_scheme_says_nothing(client, settings, said, status):
    settings.STAFF_TOKEN = "right"

    answer = client.get("/api/detector/findings/", headers=CLIENT | {"Authorization": said})

    assert answer.status_code == status


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("path", ["airports/XXX/", "login/", "findings/"])
def test_endpoints(client, path):
    answer = client.get(f"/api/detector/{path}", headers=CLIENT)

    assert answer.status_code == {"a": 404, "l": 405, "f": 403}[path[0]]


def test_published_secret_key_is_told(settings):
    settings.SECRET_KEY = "development-only-" + "x" * 40
    with pytest.raises(SystemCheckError, match="published one of compose"):
        call_command("check", deploy=True, fail_level="WARNING")
    settings.SECRET_KEY = "0123456789abcdefghij" * 3
    call_command("check", deploy=True, fail_level="WARNING")


def test_trusted_proxies_that_are_none_are_one_sentence(settings):
    settings.TRUSTED_PROXIES = "10.0.0.0/8, nonsense"
    with pytest.raises(SystemCheckError, match="TRUSTED_PROXIES: 'nonsense'"):
        call_command("check")


def test_date_that_is_none_is_one_sentence():
    with pytest.raises(CommandError, match="--as-of"):
        call_command("forget", "--as-of", "soon")


def test_replay_tells_who_was_found(capsys):
    call_command("replay", "detector")

    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "people: 0 of 504 addresses found"
    assert "failed logins of neighbours" in lines[-2]


def test_replay_of_a_rule_that_does_not_end_is_given_up(monkeypatch):
    class Rule:
        @staticmethod
        def observe(_sighting):
            while True:
                pass

    endless = replace(VARIANTS["detector"], pipeline=lambda: Pipeline(Rule()))
    monkeypatch.setitem(VARIANTS, "endless", endless)
    monkeypatch.setattr(replay, "MOST_SECONDS", 1)

    with pytest.raises(CommandError, match="longer than 1 s"):
        call_command("replay", "endless")
