"""What an operator does by hand, and what the keeper does by itself."""

import base64
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from bans import forgetting, sightings, slow, wiring
from bans.keeper import Keeper, ban
from bans.models import Ban, Change, DayKey, Sighting
from bans.watch import Reporter, Seen
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from django_ratelimit import core
from shield.addresses import parse_network
from shield.matcher import Scope
from shield.scores import Verdict
from shield.table import NEVER, Entry
from shield.terms import LONGEST_SECONDS, term_seconds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger")]
CLIENT, OTHER = parse_network("198.18.0.1"), parse_network("198.18.0.2")
STOPPED = SimpleNamespace(time=lambda: 1_800_000_000.0)  # no minute ends during a test


def said(*args):
    out = StringIO()
    call_command("bans", *args, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["add", "198.18.0.1/8"], "bits set"),
        (["add", "x"], "'x' is neither"),
        (["add", "127.0.0.1"], "loopback"),
        (["add", "198.18.0.1", "--hours", "0"], "not above 0"),
        (["add", "198.18.0.1", "--hours", "nan"], "not above 0"),
        (["add", "198.18.0.1", "--hours", "1e9"], "at most 876000"),
        (["add", "198.18.0.1", "--hours", "soon"], "invalid"),
        (["add", "198.18.0.1", "--reason", "x" * 201], "longer than 200"),
        (["why", "x"], "neither an address nor a reference"),
        (["import", "test", "/no/such/file"], "No such file"),
    ],
)
def test_mistake_is_one_sentence(arguments, reason):
    with pytest.raises(CommandError, match=reason):
        said(*arguments)


def test_ban_is_added_listed_explained_exported_and_lifted():
    assert "198.18.0.1/32: added" in said("add", "198.18.0.1", "--hours", "2")
    assert "was there already" in said("add", "198.18.0.1")
    assert "operator, operator, until" in said("list")
    assert "deny 198.18.0.1/32" in said("why", "::ffff:198.18.0.1")
    assert "deny 198.18.0.1/32" in said("why", wiring.reference(Ban.objects.get().pk))
    assert "    198.18.0.1/32 1;" in said("export", "nginx")
    assert "elements = { 198.18.0.1/32 }" in said("export", "nftables")
    assert "lifted" in said("remove", "198.18.0.1")
    assert "nothing to lift" in said("remove", "198.18.0.1")
    assert "is in no list" in said("why", "198.18.0.1")


def test_import_reports_what_it_left_out_and_why_names_the_feed(tmp_path, settings):
    settings.STATE_FOLDER = str(tmp_path)
    wiring.folder.cache_clear()
    path = tmp_path / "list"
    path.write_text("1.1.1.0/24\n10.0.0.0/8\nx\n" + "\n".join(f"1.2.3.{n}" for n in range(30)))

    report = said("import", "drop", str(path))

    assert "31 networks, 1 malformed, 1 left out" in report
    assert "10.0.0.0/8" in report
    assert "feed drop, version 1" in said("why", "1.1.1.9")


def test_bans_of_who_does_not_stop_get_longer_and_end():
    assert [term_seconds([0] * strikes) for strikes in range(3)] == [600, 1200, 2400]
    assert term_seconds([0] * 1_000) == LONGEST_SECONDS
    assert term_seconds([60 * 86_400]) == pytest.approx(600 * 2**0.25)


def test_verdict_becomes_a_ban_with_its_parts():
    ban(Verdict(CLIENT, "a burst", {"requests": 60.0}))
    found = Ban.objects.get()

    assert (found.network, found.evidence, found.source) == (
        "198.18.0.1/32",
        {"requests": 60.0},
        "detector",
    )
    assert 590 < (found.expires - timezone.now()).total_seconds() <= 600


PASSWORDS = Verdict(CLIENT, "failed logins", {"logins": 100.0}, Scope.LOGIN)


def is_over():
    long_ago = timezone.now() - timedelta(hours=1)
    Ban.objects.filter(lifted=None).update(starts=long_ago, expires=timezone.now())


def test_passwords_cost_the_login_first_and_everything_the_second_time():
    ban(PASSWORDS)
    assert Ban.objects.get().scope == "login"
    ban(PASSWORDS)  # what was under way meanwhile
    assert Ban.objects.get().scope == "login"
    is_over()
    ban(PASSWORDS)

    again = Ban.objects.latest("pk")
    assert again.scope == "full"
    assert (again.expires - timezone.now()).total_seconds() > 1_190


def test_who_was_let_go_was_banned_by_mistake_and_begins_anew():
    ban(PASSWORDS)
    said("remove", "198.18.0.1")
    ban(PASSWORDS)

    assert Ban.objects.latest("pk").scope == "login"


def test_neighbours_of_attackers_lose_no_more_than_the_login():
    for _ in range(2):
        ban(Verdict(parse_network("198.18.7.0/24"), "neighbours", {}, Scope.LOGIN))
        is_over()

    assert {each.scope for each in Ban.objects.all()} == {"login"}


def test_scan_during_a_ban_of_logins_costs_everything():
    ban(PASSWORDS)
    ban(Verdict(CLIENT, "a burst", {"requests": 60.0}))

    assert (Ban.objects.get().scope, Ban.objects.get().reason) == ("full", "a burst")
    assert Change.objects.count() == 2


def login(client, address, password="wrong"):
    given = base64.b64encode(f"me:{password}".encode()).decode()
    return client.post(
        "/api/shield/login/", REMOTE_ADDR=address, headers={"Authorization": f"Basic {given}"}
    )


def test_five_wrong_passwords_a_minute_are_told_to_wait(client, monkeypatch):
    monkeypatch.setattr(core, "time", STOPPED)
    cache.clear()
    wrong = [login(client, "198.18.3.1") for _ in range(7)]
    elsewhere = login(client, "198.18.3.2", "me-secret")

    assert [answer.status_code for answer in wrong] == [401] * 5 + [429] * 2
    assert 0 < int(wrong[-1]["Retry-After"]) <= 60
    assert wrong[-1]["Content-Type"] == "application/problem+json"
    assert elsewhere.status_code == 200


def test_right_passwords_are_not_counted(client):
    cache.clear()
    answers = [login(client, "198.18.3.3", "me-secret") for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200}


def test_login_goes_on_without_redis(client, settings):
    gone = dict(settings.CACHES["default"], LOCATION="redis://127.0.0.1:1/0")
    settings.CACHES = {**settings.CACHES, "default": gone}

    assert login(client, "198.18.3.4").status_code == 401
    assert login(client, "198.18.3.4", "me-secret").status_code == 200


def test_counters_hold_no_address(client):
    cache.clear()
    login(client, "198.18.3.5")
    keys = [key.decode() for key in wiring.redis().keys("*rl:*")]

    assert keys
    assert not any("198.18" in key for key in keys)


def test_admin_has_the_same_first_rung(client, settings, monkeypatch):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # not the subject
    monkeypatch.setattr(core, "time", STOPPED)
    cache.clear()
    form = {"username": "ada", "password": "wrong"}
    answers = [client.post("/admin/login/", form, REMOTE_ADDR="198.18.3.6") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]


def test_verdict_on_a_proxy_is_no_ban():
    ban(Verdict(parse_network("10.0.0.1"), "a burst", {}))

    assert not Ban.objects.exists()


def seen(seconds, account=CLIENT):
    return Seen(seconds, account, "login failed", "/api/shield/login/", 401)


def test_client_has_one_name_a_day_and_another_tomorrow():
    now = timezone.now().timestamp()
    sightings.note([seen(now), seen(now), seen(now + 86_400), seen(now, parse_network("1.1.1.1"))])

    first, second, tomorrow, other = Sighting.objects.order_by("pk").values_list(
        "client", flat=True
    )
    assert first == second
    assert len({first, tomorrow, other}) == 3
    assert "198.18.0.1" not in str(list(Sighting.objects.values()))


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_keys_and_sightings_go_together_after_a_week(hour):
    now = timezone.now().replace(hour=hour)
    sightings.note([seen(now.timestamp())])
    forgetting.forget(now + timedelta(days=7))
    assert (Sighting.objects.count(), DayKey.objects.count()) == (1, 1)

    forgetting.forget(now + timedelta(days=8))
    assert (Sighting.objects.count(), DayKey.objects.count()) == (0, 0)


def test_ban_is_forgotten_after_ninety_days_and_its_change_stays_without_the_network():
    said("add", "198.18.0.1", "--hours", "1")
    said("add", "198.18.0.2")
    forgetting.forget(timezone.now() + timedelta(days=91))

    assert [each.network for each in Ban.objects.all()] == ["198.18.0.2/32"]
    assert [change.after["network"] for change in Change.objects.order_by("seq")] == [
        None,
        "198.18.0.2/32",
        None,
    ]


def all_day(count):
    start = timezone.now().replace(hour=0, minute=0, second=0).timestamp()
    return [seen(start + n) for n in range(count)]


def kept(keeper, *events):
    """Do a step in which the keeper is told of these events."""
    if events:
        reporter = Reporter()
        for each in events:
            reporter.note(each)
        reporter._send(wiring.redis(), keeper.truth.epoch())
    keeper.step()


@pytest.fixture
def keeper(tmp_path, settings):
    settings.STATE_FOLDER = str(tmp_path)
    wiring.folder.cache_clear()
    found = Keeper()
    yield found
    found.truth.close()


def test_slow_attacker_is_found_by_pseudonym_and_banned_with_the_next_attempt(keeper):
    sightings.note([*all_day(100), *(seen(each.seconds, OTHER) for each in all_day(99))])
    keeper.step()
    assert not Ban.objects.exists()
    now = timezone.now().timestamp()
    kept(keeper, seen(now), seen(now, OTHER))

    found = Ban.objects.get()
    assert (found.network, found.scope) == ("198.18.0.1/32", "login")
    assert found.evidence == {"failures": 100.0, "hours": 1.0}


def test_scan_does_not_look_at_yesterday():
    sightings.note([seen(each.seconds - 86_400) for each in all_day(200)])

    assert slow.scan(timezone.now()) == {}


def test_second_keeper_waits_until_the_first_is_gone(keeper, monkeypatch, wait_until):
    monkeypatch.setattr("bans.keeper.STANDBY_SECONDS", 0)
    keeper.step()
    second = Keeper()
    second.step()
    assert second.epoch == ""
    keeper.truth.close()
    # PostgreSQL lets go of the lock once it has noticed.
    wait_until(lambda: second.step() or second.epoch == keeper.epoch)

    second.truth.close()


def test_keeper_follows_a_database_that_was_replaced(keeper, tmp_path):
    said("add", "198.18.0.1")
    keeper.step()
    before = keeper.epoch
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bans_epoch SET id = gen_random_uuid()")
    kept(keeper, *(seen(timezone.now().timestamp() + n / 10, OTHER) for n in range(12)))

    assert keeper.epoch not in ("", before)
    assert keeper.epoch in (tmp_path / "bans.jsonl").read_text()
    assert Ban.objects.filter(network=str(OTHER)).exists()


def test_refused_client_appeals_and_staff_lifts(client, settings):
    settings.STAFF_TOKEN = "token"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    staff = {"headers": {"Authorization": "Bearer token"}, "content_type": "application/json"}
    said("add", "198.18.0.1")
    reference = wiring.reference(Ban.objects.get().pk)

    made = client.post("/api/appeals/", {"reference": reference, "text": "it was my cat"})
    shown = client.get("/api/appeals/", **staff).json()["appeals"]
    done = client.post(f"/api/appeals/{made.json()['appeal']}/", {"granted": True}, **staff)

    assert (made.status_code, done.status_code) == (201, 200)
    assert (shown[0]["text"], shown[0]["network"]) == ("it was my cat", "198.18.0.1/32")
    assert not Ban.objects.filter(lifted=None).exists()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/appeals/", {"reference": "aaaaaaaaaaaaa", "text": "x"}, 404),
        ("/api/appeals/", {"reference": "x"}, 400),
        ("/api/appeals/1/", {"granted": True}, 403),
        ("/api/shield/bans/", {"network": "198.18.0.1"}, 403),
    ],
)
def test_what_is_not_allowed_or_malformed_is_a_problem(client, settings, path, body, status):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    answer = client.post(path, body)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


def test_shadow_and_login_bans_refuse_less_and_are_counted(client):
    wiring.follower.cache_clear()
    table = wiring.follower().replica.matcher.bans
    wiring.follower().ready.set()
    table.add(parse_network("198.18.0.1"), Entry(1, NEVER, Scope.FULL, True))
    table.add(parse_network("198.18.0.2"), Entry(2, NEVER, Scope.LOGIN, False))

    def status(address, path, method="get"):
        peer = {"REMOTE_ADDR": address}
        return getattr(client, method)(f"/api/shield/{path}", **peer).status_code

    assert status("198.18.0.1", "airports/JFK/") == 200
    assert status("198.18.0.2", "airports/JFK/") == 200
    assert status("198.18.0.2", "login/", "post") == 403
    counted = client.get("/metrics").content.decode()
    assert 'shield_matches_total{list="ban",outcome="shadow"}' in counted
    assert 'shield_matches_total{list="ban",outcome="refused"}' in counted
    wiring.follower.cache_clear()


def test_refused_country_is_refused_and_an_unknown_one_or_an_exception_is_not(
    client, settings, monkeypatch
):
    class Known:
        def of(self, address):
            return "AQ" if str(address) == "198.18.0.1" else None

    settings.REFUSED_COUNTRIES = frozenset({"AQ"})
    monkeypatch.setattr(wiring, "countries", Known)

    assert client.get("/api/shield/search/", REMOTE_ADDR="198.18.0.1").json()["country"] == "AQ"
    assert client.get("/api/shield/search/", REMOTE_ADDR="198.18.0.2").status_code == 200
    wiring.follower.cache_clear()
    exceptions = wiring.follower().replica.matcher.exceptions
    exceptions.add(parse_network("198.18.0.1"), Entry(1, NEVER, Scope.FULL, False))
    assert client.get("/api/shield/search/", REMOTE_ADDR="198.18.0.1").status_code == 200
    wiring.follower.cache_clear()
