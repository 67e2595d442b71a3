"""Bans in a real PostgreSQL and Redis: one at a time, written down, and told to everybody."""

import threading

import pytest
from bans import ledger, stream, wiring
from bans.ledger import Actor, Refused
from bans.models import Ban, Change
from bans.truth import PostgresTruth
from django.db import DatabaseError, connection, connections
from shield.addresses import parse_network
from shield.replica import Replica

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger")]
OPERATOR = Actor("operator", parse_network("203.0.113.9"))
NETWORK = parse_network("198.18.0.1")


@pytest.fixture
def truth(settings):
    with PostgresTruth(settings.DATABASE_URL) as found:
        yield found


def add(network=NETWORK, actor=OPERATOR, **fields):
    return ledger.add(network, actor, reason="test", source="operator", **fields)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("203.0.113.0/24", "your own address"),
        ("10.1.2.3", "trusted proxy"),
        ("10.0.0.0/7", "wider"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("198.0.0.0/8", "wider"),
        ("2001:db8::/31", "wider"),
    ],
)
def test_ban_that_would_hurt_is_refused(network, reason):
    with pytest.raises(Refused, match=reason):
        add(parse_network(network))
    assert not Change.objects.exists()


def test_many_bans_at_once_are_one():
    barrier = threading.Barrier(8)
    results = []

    def attempt():
        barrier.wait()
        results.append(add())
        connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({ban.pk for ban, _ in results}) == 1
    assert sum(new for _, new in results) == 1
    assert Change.objects.count() == 1


def test_every_change_is_written_down_with_its_actor():
    ban, _ = add()
    ledger.lift([ban.pk], Actor("somebody else"))

    first, second = Change.objects.order_by("seq")
    assert (first.seq, first.actor, first.before) == (1, "operator", None)
    assert (second.seq, second.actor, second.before["lifted"]) == (2, "somebody else", False)
    assert second.after["lifted"]


def test_a_write_past_django_is_written_down_too():
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bans_ban (network, kind, scope, shadow, reason, source, evidence)"
            " VALUES ('198.18.0.2', 'deny', 'full', false, 'psql', 'operator', '{}')"
        )

    assert Change.objects.get().after["reason"] == "psql"


@pytest.mark.parametrize("table", ["bans_change", "bans_ban"])
@pytest.mark.parametrize("statement", ["DELETE FROM", "TRUNCATE"])
def test_nothing_is_deleted(table, statement):
    add()

    with (
        pytest.raises(DatabaseError, match=r"is not done|cannot truncate"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"{statement} {table}")


def test_number_of_a_change_that_was_rolled_back_is_given_again():
    def fail():
        with ledger.written_by(OPERATOR):
            Ban.objects.create(network="198.18.0.3", reason="", source="")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    add()

    assert [change.seq for change in Change.objects.all()] == [1]


def test_expired_ban_gives_way_to_a_new_one():
    add()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bans_ban SET expires = now() - interval '1 s'")
    _, new = add()

    assert new
    assert Ban.objects.filter(lifted=None).count() == 1


def test_change_is_on_the_stream_once_it_is_committed(truth):
    waiting = stream.RedisStream(wiring.redis())
    add()
    ledger.publish()

    (change,) = waiting.wait(truth.epoch(), 0, 1)
    assert (change.seq, change.document["network"]) == (1, "198.18.0.1/32")


def test_stream_that_was_emptied_is_filled_again(truth):
    add()
    wiring.redis().delete(stream.key(truth.epoch()))
    ledger.publish()

    assert stream.latest(wiring.redis(), truth.epoch()) == 1


def test_copy_of_everything_has_the_checksum_of_the_database(truth):
    add()
    add(parse_network("2001:db8::/64"))
    add(parse_network("198.18.9.0/24"), kind="allow")
    ledger.lift_network(NETWORK, OPERATOR)
    replica = Replica(lambda _: None)
    replica.load(truth.everything())

    assert (replica.seq, replica.checksum) == truth.checksum()
    assert len(replica.matcher) == 2


def test_feed_is_replaced_in_one_step_and_a_bad_one_changes_nothing():
    ledger.import_feed("test", ["1.1.1.1", "1.1.1.2"], OPERATOR)
    with pytest.raises(ValueError, match="empty"):
        ledger.import_feed("test", [], OPERATOR)
    feed, _ = ledger.import_feed("test", ["1.1.1.1", "1.1.1.3", "0.0.0.0/0"], OPERATOR)

    assert (feed.version, feed.networks) == (2, 2)
    assert [change.after["version"] for change in Change.objects.order_by("seq")] == [1, 2]
