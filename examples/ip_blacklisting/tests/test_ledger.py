"""Bans in a real PostgreSQL and Redis: one at a time, written down, and told to everybody."""

import threading

import pytest
from bans import configured, keeper, ledger, publisher, stream
from bans.ledger import Refused
from bans.models import Ban, Change, Feed, Feeds
from bans.truth import PostgresTruth
from django.db import connection, connections
from shield import snapshot
from shield.addresses import WIDTH, Network, parse_address, parse_network
from shield.replica import Replica
from shield.run import Run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger")]
NETWORK = parse_network("198.18.0.1")


@pytest.fixture
def truth():
    with PostgresTruth(configured.database()) as found:
        yield found


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
    ],
)
def test_ban_that_would_hurt_is_refused(network, reason):
    with pytest.raises(Refused, match=reason):
        ledger.add(parse_network(network))
    assert not Change.objects.exists()


def test_many_bans_at_once_are_one():
    barrier = threading.Barrier(8)
    results = []

    def attempt():
        barrier.wait()
        results.append(ledger.add(NETWORK))
        connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(results) == 1
    assert (Ban.objects.count(), Change.objects.count()) == (1, 1)


def test_every_change_names_the_one_before():
    ledger.add(NETWORK)
    ledger.lift(NETWORK)

    first, second = Change.objects.order_by("seq")
    assert (first.seq, first.previous, first.after["lifted"]) == (1, "", False)
    assert (second.seq, second.previous, second.after["lifted"]) == (2, first.mark, True)


@pytest.mark.report(
    "TheDuffman85/crowdsec-web-ui#369",
    "a ban that is deleted past the API is enforced until it would have ended",
    "triggers number every change, whoever makes it",
)
def test_a_write_past_django_is_written_down_too():
    execute("INSERT INTO bans_ban (network) VALUES ('198.18.0.2')")
    execute("DELETE FROM bans_ban")

    assert [each.after["lifted"] for each in Change.objects.order_by("seq")] == [False, True]


def test_number_of_a_change_that_was_rolled_back_is_given_again():
    def fail():
        with ledger.writing():
            Ban.objects.create(network="198.18.0.3")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    ledger.add(NETWORK)

    assert [change.seq for change in Change.objects.all()] == [1]


def test_expired_ban_gives_way_to_a_new_one():
    ledger.add(NETWORK, seconds=60)
    execute("UPDATE bans_ban SET expires = now() - interval '1 s'")

    assert ledger.add(NETWORK)
    assert Ban.objects.filter(lifted=None).count() == 1


def test_change_is_on_the_stream_once_it_is_committed():
    ledger.add(NETWORK)
    publisher.publish()

    (change,) = stream.RedisStream(configured.redis()).wait(0, 1)
    assert (change.seq, change.document["network"]) == (1, "198.18.0.1/32")


def test_stream_that_was_emptied_is_filled_again():
    ledger.add(NETWORK)
    configured.redis().delete(stream.KEY)
    publisher.publish()

    assert stream.last(configured.redis())[0] == 1


def test_stream_of_another_past_begins_anew():
    """The database went back to a backup, and from there on another way."""
    for number in range(3):
        ledger.add(parse_network(f"198.18.1.{number}"))
    execute("DELETE FROM bans_change WHERE seq > 1")
    ledger.add(NETWORK)
    publisher.publish()

    changes = stream.RedisStream(configured.redis()).wait(0, 1)
    assert [(each.seq, each.mark) for each in changes] == [
        (each.seq, each.mark) for each in Change.objects.order_by("seq")
    ]


def listed(table):
    return {
        str(Network(version, key << WIDTH[version] - length, length))
        for version, length, keys, _ in table.parts(100)
        for key in keys
    }


def test_copy_of_everything_is_what_the_changes_make(truth):
    for text in ("198.18.0.1", "2001:db8::/64", "198.18.9.0/24"):
        ledger.add(parse_network(text))
    execute("INSERT INTO bans_ban (network, kind) VALUES ('198.18.9.1', 'allow')")
    ledger.lift(NETWORK)
    ledger.import_feed("test", b"1.1.1.1")
    loaded, followed = (Replica(lambda _: Run.of(())) for _ in range(2))
    loaded.load(truth.everything())
    followed.apply(truth.changes(0, 100))

    assert (loaded.seq, loaded.mark, loaded.document) == (
        followed.seq,
        followed.mark,
        followed.document,
    )
    for copy in (loaded, followed):
        assert listed(copy.matcher.bans) == {"2001:db8::/64", "198.18.9.0/24"}
        assert listed(copy.matcher.exceptions) == {"198.18.9.1/32"}


def refused(text):
    run = Run(memoryview(bytes(Feeds.objects.get().run)))
    return parse_address(text) in run


def test_feed_is_replaced_in_one_step_and_a_bad_one_changes_nothing():
    ledger.import_feed("test", b"1.1.1.1\n1.1.1.2")
    with pytest.raises(ValueError, match="empty"):
        ledger.import_feed("test", b"")
    assert refused("1.1.1.2")
    ledger.import_feed("test", b"1.1.1.1\n1.1.1.3\n0.0.0.0/0")

    assert (refused("1.1.1.2"), refused("1.1.1.3")) == (False, True)
    assert [change.after["networks"] for change in Change.objects.order_by("seq")] == [2, 2]


def test_feeds_are_one_run_whose_lists_come_and_go_alone():
    ledger.import_feed("one", b"1.1.1.0/24\n1.1.2.0/24\n2a00::/48")
    ledger.import_feed("two", b"1.1.2.0/23\n1.1.1.7")
    assert all(map(refused, ("1.1.1.9", "1.1.3.1", "2a00::1")))
    ledger.drop_feed("one")
    ledger.drop_feed("one")
    assert not refused("1.1.1.9")
    assert all(map(refused, ("1.1.1.7", "1.1.2.1", "1.1.3.1")))
    ledger.import_feed("two", b"", force=True)

    assert not refused("1.1.1.7")
    assert Feed.objects.get().networks == 0


def test_two_keepers_write_a_file_that_is_enough_to_start(tmp_path):
    first, second = keeper.Keeper(), keeper.Keeper()
    ledger.add(NETWORK)
    ledger.import_feed("test", b"1.1.1.1")
    (tmp_path / "old.run").touch()
    first.step()
    second.step()
    last = snapshot.read(tmp_path)

    assert first.written == second.written == last.mark
    assert listed(last.bans) == {"198.18.0.1/32"}
    assert [each.stem for each in tmp_path.glob("*.run")] == [last.feeds["digest"]]
    for each in (first, second):
        each.truth.close()


def test_keeper_waits_while_nothing_answers(monkeypatch, caplog):
    monkeypatch.setattr(configured, "database", lambda: "postgres://nobody@127.0.0.1:1/none")
    keeper.Keeper().step()

    assert "waiting" in caplog.text
