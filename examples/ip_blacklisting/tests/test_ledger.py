"""Bans in a real PostgreSQL and Redis: one at a time, written down, and told to everybody."""

import threading
from datetime import timedelta
from importlib import import_module

import pytest
from bans import bell, configured, ledger, truth
from bans.ledger import Refused
from bans.management.commands import keeper
from bans.models import Ban, Change, Feed
from bans.truth import run_of
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone
from shield.addresses import host_of, meant, parse_address, parse_network
from shield.replica import Replica
from shield.run import Run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger")]
NETWORK = parse_network("198.18.0.1")
WIDTH = import_module("bans.migrations.0003_width").WIDTH


def execute(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("10.1.2.3", "trusted proxy"),
        ("10.0.0.0/15", "wider"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("198.0.0.0/8", "wider"),
        ("2001:db8::/31", "wider"),
        ("64:ff9b::/96", "wider"),
        ("0.0.0.0/0", "wider"),
        ("0.0.0.0", "such as nobody has"),
        ("::/32", "such as nobody has"),
    ],
)
def test_ban_that_would_hurt_is_refused(network, reason):
    with pytest.raises(Refused, match=reason):
        ledger.add(parse_network(network))
    assert not Change.objects.exists()


def test_many_bans_at_once_are_one():
    barrier = threading.Barrier(8)

    def attempt():
        barrier.wait()
        ledger.add(NETWORK)
        connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (Ban.objects.count(), Change.objects.count()) == (1, 1)


def test_every_change_has_a_number_and_a_mark():
    ledger.add(NETWORK)
    ledger.lift(NETWORK)

    first, second = Change.objects.order_by("seq")
    assert [(each.seq, each.after["lifted"]) for each in (first, second)] == [(1, False), (2, True)]
    assert first.mark != second.mark


@pytest.mark.report(
    "TheDuffman85/crowdsec-web-ui#369",
    "a ban that is deleted past the API is enforced until it would have ended",
    "triggers number every change, whoever makes it",
)
def test_a_write_past_django_is_written_down_too():
    execute("INSERT INTO bans_ban (network) VALUES ('198.18.0.2')")
    execute("UPDATE bans_ban SET network = '198.18.0.3'")
    execute("UPDATE bans_ban SET expires = NULL")  # which is no change
    execute("DELETE FROM bans_ban")

    documents = [change.after for change in Change.objects.order_by("seq")]
    assert [(each["network"], each["lifted"]) for each in documents] == [
        ("198.18.0.2/32", False),
        ("198.18.0.2/32", True),
        ("198.18.0.3/32", False),
        ("198.18.0.3/32", True),
    ]


@pytest.mark.parametrize("kind", Ban.Kind)
@pytest.mark.parametrize(
    "network",
    [
        *("0.0.0.0/0", "198.0.0.0/15", "0.0.0.0"),
        *("::/0", "2001::/31", "::1", "::/64", "64:ff9b::/48", "64:ff9b::/96"),
    ],
)
def test_whoever_writes_past_django_bans_and_excepts_no_wide_network(network, kind):
    with pytest.raises(IntegrityError, match="width"):
        execute(f"INSERT INTO bans_ban (network, kind) VALUES ('{network}', '{kind}')")


@pytest.mark.report(
    "crowdsecurity/crowdsec#1244",
    "an address is banned twice, and the end of the shorter ban lets it in",
    "what is one network for a process is one row, whoever writes",
)
def test_no_two_bans_are_one_for_a_process():
    for text in ("2001:db8::1", "2001:db8::2/128", "2001:db8::/96"):
        ledger.add(meant(text))
    assert [ban.network for ban in Ban.objects.all()] == ["2001:db8::/64"]
    for network in ("2001:db8::1", "2001:db8::/65"):
        with pytest.raises(IntegrityError, match="width"):
            execute(f"INSERT INTO bans_ban (network) VALUES ('{network}')")


@pytest.mark.parametrize("before", ["narrow", "width"])
def test_bans_that_an_earlier_release_took_become_their_64(before):
    execute(f"ALTER TABLE bans_ban DROP CONSTRAINT width, ADD CONSTRAINT {before} CHECK (true)")
    for network, kind, end in (
        ("2001:db8::/64", "deny", "now() + interval '2 hours'"),
        ("2001:db8::1", "deny", "now() + interval '1 hour'"),
        ("2001:db8::/96", "deny", "now() + interval '3 hours'"),
        ("2001:db8::1", "allow", "now()"),
        ("2001:db8:1::/64", "deny", "now() + interval '2 hours'"),
        ("2001:db8:1::1", "deny", "now()"),
        ("2001:db8:2::1", "deny", "NULL"),
        ("2001:db8:2::2", "deny", "now()"),
        ("2001:db8:3::/64", "deny", "now()"),
        ("2001:db8::/48", "deny", "now()"),
    ):
        execute(
            f"INSERT INTO bans_ban (network, kind, expires) VALUES ('{network}', '{kind}', {end})"
        )
    execute(WIDTH.read_text())

    hour, now = timedelta(hours=1), timezone.now()
    assert {
        (each.network, each.kind): each.expires and round((each.expires - now) / hour)
        for each in Ban.objects.all()
    } == {
        ("2001:db8::/64", "deny"): 3,
        ("2001:db8::/64", "allow"): 0,
        ("2001:db8:1::/64", "deny"): 2,
        ("2001:db8:2::/64", "deny"): None,
        ("2001:db8:3::/64", "deny"): 0,
        ("2001:db8::/48", "deny"): 0,
    }
    followed = Replica()
    followed.apply(truth.changes(0, 100), lambda _digest: Run(b""))
    assert followed.bans.entries == truth.everything().bans.entries
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE conname IN ('narrow', 'width')")
        assert cursor.fetchall() == [("width",)]


def test_number_of_a_change_that_was_rolled_back_is_given_again():
    def fail():
        with ledger.writing():
            Ban.objects.create(network="198.18.0.3")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    ledger.add(NETWORK)

    assert [change.seq for change in Change.objects.all()] == [1]


@pytest.mark.report(
    "psycopg/psycopg#1251",
    "a time that PostgreSQL has and Python has not, such as infinity, is an error for who reads it",
    "infinity is for good, and a ban is replaced unread",
)
@pytest.mark.parametrize(
    ("end", "kept"), [("infinity", None), ("20000-01-01 00:00+00", 568_971_820_800)]
)
def test_ban_may_end_when_python_has_no_time(end, kept):
    execute(f"INSERT INTO bans_ban (network, expires) VALUES ('{NETWORK}', '{end}')")
    assert list(truth.everything().bans.entries.values()) == [kept or 0]
    ledger.add(NETWORK)

    assert [each.after["expires"] for each in Change.objects.order_by("seq")] == (
        [kept] if kept is None else [kept, None]
    )


def test_ban_that_is_made_again_ends_as_the_last_one_says():
    ledger.add(NETWORK, timezone.now())
    ledger.add(NETWORK)

    assert [each.after["expires"] is None for each in Change.objects.order_by("seq")] == [
        False,
        True,
    ]
    assert Ban.objects.get().expires is None


@pytest.fixture
def ears():
    """They have heard all that has rung so far."""
    found = bell.Ears(configured.redis())
    found.wait(0.001)
    return found


def test_bell_rings_once_a_change_is_committed(ears):
    def fail():
        with transaction.atomic():
            ledger.add(NETWORK)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    ledger._ringer.submit(int).result()
    assert not ears.wait(0.001)
    ledger.add(NETWORK)

    assert ears.wait(10)
    assert not ears.wait(0.001)


@pytest.mark.report(
    "redis/redis-py#4052",
    "what `XREAD` returns has another shape in each protocol, and the URL names the protocol",
    "the answer is not taken apart: the bell is heard in both",
)
@pytest.mark.parametrize("protocol", [2, 3])
def test_bell_is_heard_in_both_protocols(settings, protocol):
    between = "&" if "?" in settings.REDIS_URL else "?"
    redis = bell.connect(f"{settings.REDIS_URL}{between}protocol={protocol}")
    ears = bell.Ears(redis)
    ears.wait(0.001)
    bell.ring(redis)

    assert [ears.wait(0.001), ears.wait(0.001)] == [True, False]


@pytest.mark.parametrize("times", [1, 3])
def test_bell_that_rang_while_nobody_listened_is_heard_once(ears, times):
    for _ in range(times):
        bell.ring(configured.redis())

    assert [ears.wait(0.001), ears.wait(0.001)] == [True, False]
    assert configured.redis().xlen(bell.KEY) == 1


def keys(*texts):
    return {parse_network(text).key for text in texts}


def test_copy_of_everything_is_what_the_changes_make():
    for text in ("198.18.0.1", "2001:db8::/64", "198.18.9.0/24"):
        ledger.add(parse_network(text))
    execute("INSERT INTO bans_ban (network, kind) VALUES ('198.18.9.1', 'allow')")
    ledger.lift(NETWORK)
    ledger.import_feed("test", b"1.1.1.1")
    loaded, followed = truth.everything(), Replica()
    followed.apply(truth.changes(0, 100), lambda _digest: Run(b""))

    assert (loaded.seq, loaded.mark, loaded.feeds) == (followed.seq, followed.mark, followed.feeds)
    assert loaded.feeds["networks"] == 1
    for copy in (loaded, followed):
        assert copy.bans.entries.keys() == keys("2001:db8::/64", "198.18.9.0/24")
        assert copy.exceptions.entries.keys() == keys("198.18.9.1/32")


def refused(text):
    return host_of(parse_address(text)) in Run(bytes(Feed.objects.get(name="").run))


def test_feed_is_replaced_in_one_step_and_a_bad_one_changes_nothing():
    ledger.import_feed("test", b"1.1.1.1\n1.1.1.2")
    with pytest.raises(ValueError, match="empty"):
        ledger.import_feed("test", b"")
    assert refused("1.1.1.2")
    ledger.import_feed("test", b"1.1.1.1\n1.1.1.3\n0.0.0.0/0")

    assert (refused("1.1.1.2"), refused("1.1.1.3")) == (False, True)
    assert [change.after["networks"] for change in Change.objects.order_by("seq")] == [2, 2]


def test_run_that_a_later_one_has_replaced_is_not_given_out():
    ledger.import_feed("test", b"1.1.1.1")
    first = truth.everything().feeds["digest"]
    assert run_of(first) == bytes(Feed.objects.get(name="").run)
    ledger.import_feed("test", b"1.1.1.2")

    assert run_of(first) is None


def test_feeds_are_one_run_whose_lists_come_and_go_alone():
    ledger.import_feed("one", b"1.1.1.0/24\n1.1.2.0/24\n2a00::/48")
    ledger.import_feed("two", b"1.1.2.0/23\n1.1.1.7")
    assert all(map(refused, ("1.1.1.9", "1.1.3.1", "2a00::1")))
    ledger.import_feed("one", b"", force=True)
    assert not refused("1.1.1.9")
    assert all(map(refused, ("1.1.1.7", "1.1.2.1", "1.1.3.1")))
    ledger.import_feed("two", b"", force=True)

    assert not refused("1.1.1.7")
    assert [feed.networks for feed in Feed.objects.all()] == [0, 0, 0]


def test_two_keepers_write_a_file_that_is_enough_to_start():
    first, second = keeper.Command(), keeper.Command()
    ledger.add(NETWORK)
    ledger.import_feed("test", b"1.1.1.1")
    first.step()
    second.step()
    last = configured.follower().disk.read()

    assert first.written == second.written == last.mark
    assert last.bans.entries.keys() == keys("198.18.0.1/32")
    assert last.feeds["networks"] == 1


def test_keeper_waits_while_nothing_answers(monkeypatch, caplog):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    keeper.Command().step()

    assert "waiting" in caplog.text
