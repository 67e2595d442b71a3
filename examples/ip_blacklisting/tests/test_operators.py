"""What operators do over HTTP, and what a mistake of theirs, or in a setting, is answered with."""

from io import StringIO

import pytest
from bans import configured, ledger
from bans.models import Ban
from django.core.management import CommandError, call_command
from django.db import OperationalError
from shield.addresses import parse_network

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger")]


@pytest.fixture
def staff(client, settings):
    settings.STAFF_TOKEN = "token"
    client.defaults["HTTP_AUTHORIZATION"] = "Bearer token"
    return client


def ban(client, network, variant="shield"):
    return client.post(f"/api/{variant}/bans/", query_params={"network": network})


@pytest.mark.parametrize(
    ("token", "said"),
    [("token", ""), ("token", "Bearer wrong"), ("token", "Basic token"), ("", "Bearer "), ("", "")],
)
def test_who_is_no_staff_changes_nothing(client, settings, token, said):
    settings.STAFF_TOKEN = token
    client.defaults["HTTP_AUTHORIZATION"] = said

    assert ban(client, "198.18.0.1").status_code == 403
    assert not Ban.objects.exists()


def test_case_of_the_scheme_says_nothing(staff):
    staff.defaults["HTTP_AUTHORIZATION"] = "bEARER  token"

    assert ban(staff, "198.18.0.1").status_code != 403


@pytest.mark.report(
    "wagtail/wagtail#4652",
    "a NUL or too long a text reaches PostgreSQL, whose error is told as an outage",
    "what a request says is read first: 400, in a sentence",
)
@pytest.mark.parametrize(
    "network", ["", "x", "198.18.0.1\0", "1" * 100_000, "198.18.0.1/8", "é", "198.18.0.1/32/32"]
)
@pytest.mark.parametrize("variant", ["shield", "leftmost", "bisect"])
def test_malformed_ban_is_told_so(staff, network, variant):
    answer = ban(staff, network, variant)

    assert (answer.status_code, answer.json()["title"][:9]) == (400, "network: ")
    assert staff.post(f"/api/{variant}/bans/", {}, "application/json").status_code == 400
    assert not Ban.objects.exists()


def test_name_of_a_feed_is_no_novel(staff):
    answer = staff.put(f"/api/shield/feeds/{'x' * 300}/", b"1.1.1.1")

    assert (answer.status_code, answer.json()["title"]) == (
        400,
        "the name of the feed has more than 50 characters",
    )


def test_database_that_is_away_is_an_outage(staff, monkeypatch):
    def away(*_args, **_options):
        raise OperationalError

    monkeypatch.setattr(ledger, "add", away)

    assert ban(staff, "198.18.0.1").status_code == 503


def test_ban_is_made_once_and_lifted(staff):
    assert ban(staff, "198.18.0.1").status_code == 201
    assert ban(staff, "::ffff:198.18.0.1").status_code == 201
    assert Ban.objects.filter(network="198.18.0.1/32").count() == 1
    assert staff.delete("/api/shield/bans/?network=198.18.0.1").status_code == 204
    assert not Ban.objects.exists()


def test_client_of_ipv6_is_its_64(staff):
    assert ban(staff, "2001:db8:1:2::3").status_code == 201
    assert str(Ban.objects.get().network) == "2001:db8:1:2::/64"
    assert staff.delete("/api/shield/bans/?network=2001:db8:1:2::5").status_code == 204
    assert not Ban.objects.exists()


def test_ban_that_would_hurt_is_a_conflict(staff):
    answer = ban(staff, "10.0.0.0/16")
    assert (answer.status_code, answer.json()["title"]) == (
        409,
        "10.0.0.0/16 contains addresses of the trusted proxy 10.0.0.0/8",
    )


def test_feed_that_is_refused_says_what_to_do_and_force_takes_it(staff):
    report = staff.put("/api/shield/feeds/drop/", b"1.1.1.0/24\n1.1.2.1\t7").json()
    assert report["formats"] == {"address or CIDR": 1, "column": 1}
    answer = staff.put("/api/shield/feeds/drop/", b"")
    assert (answer.status_code, "force it" in answer.json()["title"]) == (422, True)
    assert staff.put("/api/shield/feeds/drop/?force=1", b"").status_code == 200
    assert staff.put("/api/leftmost/feeds/drop/", b"").status_code == 404


def test_matches_say_whom_this_process_refuses(staff):
    ledger.add(parse_network("198.18.0.0/24"))
    configured.follower().boot()
    asked = b"198.18.0.7\n::ffff:198.18.0.7\n198.18.1.1"
    answer = staff.post("/api/shield/matches/", asked, "text/plain")

    assert answer.json() == {"refused": [True, True, False]}


def test_banned_client_is_refused_and_one_that_nobody_names_is_told_so(client):
    ledger.add(parse_network("198.18.0.0/24"))
    configured.follower().boot()
    path, behind = "/api/shield/airports/JFK/", {"REMOTE_ADDR": "10.0.0.1"}

    assert client.get(path, REMOTE_ADDR="198.18.0.7").status_code == 403
    assert (
        client.get(path, **behind, HTTP_X_FORWARDED_FOR="198.18.1.1, 198.18.0.7").status_code == 403
    )
    assert (
        client.get(path, **behind, HTTP_X_FORWARDED_FOR="198.18.0.7, 198.18.1.1").status_code == 200
    )
    assert client.get(path, **behind, HTTP_X_FORWARDED_FOR="198.18.1.1, unknown").status_code == 400


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/8, x",
            "TRUSTED_PROXIES: 'x' is neither an address nor a CIDR",
        ),
        ("CLIENT_HEADER", "X-Forwarded-For", "CLIENT_HEADER: 'X-Forwarded-For' is not one of"),
        ("REDIS_URL", "nonsense", "REDIS_URL: Redis URL must specify one of the following"),
    ],
)
def test_mistake_in_a_setting_is_one_sentence(settings, setting, value, said):
    setattr(settings, setting, value)
    for each in (configured.proxies, configured.redis):
        each.cache_clear()
    try:
        with pytest.raises(CommandError, match=said):
            call_command("prepare")
    finally:
        configured.redis.cache_clear()


def test_published_key_is_told_and_holds_nobody_up(settings, tmp_path):
    settings.SECRET_KEY = "development-only-" + "x1y2z3" * 9
    said, nothing = StringIO(), StringIO()
    call_command("prepare", stderr=said)
    assert "SECRET_KEY is the one that compose.yml publishes" in said.getvalue()
    assert (tmp_path / "list.jsonl").exists()
    settings.SECRET_KEY = "another-key-" + "x1y2z3" * 9
    call_command("prepare", stderr=nothing)
    call_command("check", deploy=True, fail_level="WARNING")
    assert "SECRET_KEY" not in nothing.getvalue()
