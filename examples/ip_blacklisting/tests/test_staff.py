"""The list over HTTP and in the admin: who may, how often, and what is refused in one line."""

import threading

import pytest
from bans import ledger
from bans.ledger import Actor
from bans.models import Ban, Change, Feed
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connections
from django.test import Client
from rest_framework.settings import api_settings
from shield.addresses import parse_network

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger")]
BANS = "/api/shield/bans/"
OPERATOR = Actor("operator")


@pytest.fixture
def staff(settings):
    settings.STAFF_TOKEN = "token"
    cache.clear()
    return Client(headers={"Authorization": "Bearer token"})


@pytest.fixture
def browser():
    user = get_user_model().objects.create(username="ada", is_staff=True, is_superuser=True)
    found = Client()
    found.force_login(user)
    return found


def post(client, body, **extra):
    return client.post(BANS, body, content_type="application/json", **extra)


@pytest.mark.parametrize("method", ["get", "post", "delete", "options"])
def test_stranger_is_refused_whatever_they_ask(client, method):
    for path in (BANS, "/api/shield/changes/"):
        answer = getattr(client, method)(path)
        assert answer.status_code == 403
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"network": "1.2.3"}, 400, "'1.2.3'"),
        ({"network": "198.18.0.1/8"}, 400, "'198.18.0.1/8'"),
        ({}, 400, "network"),
        ([], 400, "list"),
        ("{", 400, "JSON"),
        ({"network": "198.18.0.1", "kind": "maybe"}, 400, "maybe"),
        ({"network": "198.18.0.1", "expires": "soon"}, 400, "expires"),
        ({"network": "198.18.0.1", "expires": "2020-01-01T00:00:00Z"}, 409, "over already"),
        ({"network": "203.0.113.0/24"}, 409, "your own address"),
        ({"network": "10.1.2.3"}, 409, "trusted proxy"),
        ({"network": "8.0.0.0/8"}, 409, "wider"),
        ({"network": "127.0.0.1"}, 409, "loopback"),
    ],
)
def test_ban_that_is_malformed_or_would_hurt_is_a_problem_that_names_it(staff, body, status, named):
    answer = post(staff, body, REMOTE_ADDR="203.0.113.9")

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert named in str(answer.json()["detail"])
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    "query", ["address=1.2.3", "kind=maybe", "scope=x", "active=perhaps", "cursor=x"]
)
def test_filter_that_means_nothing_is_a_problem(staff, query):
    answer = staff.get(f"{BANS}?{query}")

    assert answer.status_code in (400, 404)
    assert answer["Content-Type"] == "application/problem+json"


def test_lift_of_what_is_no_network_is_a_problem(staff):
    assert staff.delete(f"{BANS}?network=x").status_code == 400
    assert staff.delete(BANS).status_code == 400


def test_ban_is_made_once_shown_and_lifted(staff):
    made = post(staff, {"network": "2001:DB8::7", "reason": "test", "scope": "login"})
    again = post(staff, {"network": "2001:db8::8"})
    shown = staff.get(f"{BANS}?address=2001:db8::9&active=true").json()["results"]

    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json() == shown[0]
    assert (shown[0]["network"], shown[0]["reason"]) == ("2001:db8::/64", "test")
    assert staff.delete(f"{BANS}?network=2001:db8::/64").status_code == 204
    assert staff.get(f"{BANS}?active=true").json()["results"] == []
    changes = staff.get("/api/shield/changes/").json()["results"]
    assert [(each["seq"], each["actor"]) for each in changes] == [(2, "operator"), (1, "operator")]


def test_many_requests_for_one_ban_make_one(staff):
    barrier, answers = threading.Barrier(6), []

    def attempt():
        barrier.wait()
        answers.append(post(staff, {"network": "198.18.0.1"}))
        connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Change.objects.count() == 1


def test_list_comes_in_pages_and_options_say_what_a_ban_is(staff):
    Ban.objects.bulk_create(
        Ban(network=f"198.18.1.{n}/32", reason="", source="operator") for n in range(120)
    )
    first = staff.get(f"{BANS}?kind=deny").json()
    second = staff.get(first["next"]).json()

    assert (len(first["results"]), len(second["results"]), second["next"]) == (100, 20, None)
    fields = staff.options(BANS).json()["actions"]["POST"]
    assert [each["value"] for each in fields["scope"]["choices"]] == ["login", "full"]


def test_who_asks_too_often_is_told_when_to_come_back(staff, monkeypatch):
    from bans.throttles import BansThrottle

    monkeypatch.setattr(BansThrottle, "rate", "2/min", raising=False)
    answers = [staff.get(BANS, REMOTE_ADDR="198.18.0.9") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert staff.get(BANS, REMOTE_ADDR="198.18.0.10").status_code == 200


def test_list_is_changed_while_redis_is_gone(staff, settings):
    gone = dict(settings.CACHES["default"], LOCATION="redis://127.0.0.1:1/0")
    settings.CACHES = {**settings.CACHES, "default": gone}

    assert post(staff, {"network": "198.18.0.1"}).status_code == 201


def test_every_staff_endpoint_has_a_rate():
    from bans.throttles import AppealsThrottle, BansThrottle, ChangesThrottle

    scopes = {each.scope for each in (AppealsThrottle, BansThrottle, ChangesThrottle)}
    assert scopes == set(api_settings.DEFAULT_THROTTLE_RATES)


FORM = {"kind": "deny", "scope": "full", "reason": "test", "expires_0": "", "expires_1": ""}


@pytest.mark.parametrize(
    ("network", "named"),
    [
        ("1.2.3", "&#x27;1.2.3&#x27; is neither"),
        ("198.18.0.1/8", "bits set after its prefix"),
        ("203.0.113.0/24", "203.0.113.0/24 contains your own address"),
        ("10.1.2.3", "trusted proxy 10.0.0.0/8"),
        ("8.0.0.0/8", "8.0.0.0/8 is wider than /16"),
        ("::1", "::/64 contains loopback addresses"),
    ],
)
def test_admin_names_what_it_does_not_ban(browser, network, named):
    answer = browser.post(
        "/admin/bans/ban/add/", FORM | {"network": network}, REMOTE_ADDR="203.0.113.9"
    )

    assert answer.status_code == 200
    assert named in answer.content.decode()
    assert not Change.objects.exists()


def test_admin_makes_no_ban_that_is_over(browser):
    over = {"network": "198.18.0.1", "expires_0": "2020-01-01", "expires_1": "00:00"}
    answer = browser.post("/admin/bans/ban/add/", FORM | over)

    assert "over already" in answer.content.decode()
    assert not Change.objects.exists()


def test_admin_bans_once_alters_and_lifts_as_who_is_logged_in(browser):
    new = "/admin/bans/ban/add/"
    assert browser.post(new, FORM | {"network": "198.18.0.1"}).status_code == 302
    again = browser.post(new, FORM | {"network": "198.18.0.1"})
    assert "is in the list already" in again.content.decode()
    ban = Ban.objects.get()
    altered = FORM | {"scope": "login", "shadow": "on"}
    assert browser.post(f"/admin/bans/ban/{ban.pk}/change/", altered).status_code == 302
    browser.post("/admin/bans/ban/", {"action": "lift", "_selected_action": [ban.pk]})

    changes = list(Change.objects.order_by("seq"))
    assert {change.actor for change in changes} == {"admin ada"}
    assert [change.after["scope"] for change in changes] == ["full", "login", "login"]
    assert [change.after["lifted"] for change in changes] == [False, False, True]
    assert not LogEntry.objects.exists()


def test_admin_deletes_nothing_and_writes_no_change(browser):
    ledger.add(parse_network("198.18.0.1"), OPERATOR, reason="", source="operator")
    ban = Ban.objects.get()

    assert browser.post(f"/admin/bans/ban/{ban.pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.post("/admin/bans/change/1/change/", {"actor": "x"}).status_code == 403
    assert browser.get("/admin/bans/change/add/").status_code == 403


def test_admin_shows_bans_feeds_and_changes_and_finds_a_network(browser):
    ledger.import_feed("drop", ["1.1.1.0/24"], OPERATOR)
    ledger.add(parse_network("198.18.0.1"), OPERATOR, reason="", source="operator")
    ledger.lift_network(parse_network("198.18.0.1"), OPERATOR)

    found = browser.get("/admin/bans/ban/?q=198.18").content.decode()
    feeds = browser.get("/admin/bans/feed/").content.decode()
    changes = browser.get("/admin/bans/change/").content.decode()
    assert "198.18.0.1/32" in found
    assert "drop" in feeds
    assert "deny 198.18.0.1/32: lifted" in changes
    assert "feed drop, version 1: 1 networks" in changes


def test_admin_puts_a_feed_into_shadow_and_empties_it(browser):
    ledger.import_feed("drop", ["1.1.1.0/24"], OPERATOR)
    feed = Feed.objects.get()
    shadow = {"shadow": "on", "expires_0": "", "expires_1": ""}
    assert browser.post(f"/admin/bans/feed/{feed.pk}/change/", shadow).status_code == 302
    browser.post("/admin/bans/feed/", {"action": "drop", "_selected_action": [feed.pk]})

    feed.refresh_from_db()
    assert (feed.shadow, feed.networks) == (True, 0)
    assert Change.objects.latest("seq").actor == "admin ada"


def test_admin_is_for_staff(client):
    assert client.get("/admin/bans/ban/").status_code == 302
