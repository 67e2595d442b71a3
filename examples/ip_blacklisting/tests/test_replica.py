"""A copy of the list: every change once and in order, or everything again."""

from dataclasses import replace
from pathlib import Path

import pytest
from shield import snapshot
from shield.addresses import parse_address
from shield.follower import Follower
from shield.replica import Change, Gap, Replica
from shield.snapshot import Snapshot
from shield.sources import SourceDown


def ban(number, network, *, lifted=False, kind="deny"):
    return {"id": number, "network": network, "kind": kind, "expires": None, "lifted": lifted}


def change(seq, document, *, past=""):
    """One of a row of changes; *past* tells apart what two databases did."""
    return Change(seq, f"{past}{seq}", f"{past}{seq - 1}" if seq > 1 else "", document)


def refused(replica, text):
    return replica.matcher.refuses(parse_address(text), 0)


def all_of(*bans, seq=0, past=""):
    copy = Replica(lambda _: None, seq=seq, mark=f"{past}{seq}" if seq else "")
    for each in bans:
        copy.ban(each)
    return copy.snapshot()


@pytest.fixture
def replica():
    return Replica(lambda _: None)


def test_missing_change_is_noticed(replica):
    with pytest.raises(Gap):
        replica.apply([change(1, ban(1, "192.0.2.1/32")), change(3, ban(3, "192.0.2.3/32"))])

    assert replica.seq == 1


def test_change_that_comes_twice_is_applied_once(replica):
    once = change(1, ban(1, "192.0.2.1/32"))

    assert [replica.apply([once]), replica.apply([once])] == [1, 0]


def test_late_end_of_an_older_ban_does_not_lift_the_newer(replica):
    replica.ban(ban(1, "192.0.2.1/32"))
    replica.ban(ban(2, "192.0.2.1/32"))
    replica.ban(ban(1, "192.0.2.1/32", lifted=True))

    assert refused(replica, "192.0.2.1")


class Truth:
    """PostgreSQL as it might be."""

    def __init__(self):
        self.down = False
        self.all = all_of()
        self.new = []

    def ask(self, answer):
        if self.down:
            raise SourceDown("PostgreSQL is stopped")
        return answer

    def changes(self, since, most):
        return self.ask([change for change in self.new if change.seq >= since][:most])

    def everything(self):
        return self.ask(self.all)


class Stream:
    def __init__(self):
        self.down = False
        self.sent = []

    def wait(self, after, _seconds):
        if self.down:
            raise SourceDown("Redis is stopped")
        return [change for change in self.sent if change.seq > after]


@pytest.fixture
def follower(replica, tmp_path):
    return Follower(replica, Truth(), Stream(), Path(tmp_path))


def test_without_file_and_database_there_is_no_list(follower):
    follower.truth.down = True

    with pytest.raises(SourceDown):
        follower.boot()
    assert not follower.ready.is_set()


def test_file_is_enough_to_start(follower, tmp_path):
    all_of(ban(1, "192.0.2.1/32"), seq=1).write(tmp_path)
    follower.truth.down = True
    follower.boot()

    assert follower.ready.is_set()
    assert refused(follower.replica, "192.0.2.1")


def test_file_that_is_damaged_is_none(tmp_path):
    Snapshot(1, "1").write(tmp_path)
    path = tmp_path / snapshot.NAME
    path.write_bytes(path.read_bytes()[:-1])

    assert snapshot.read(tmp_path) is None


def test_file_holds_every_ban_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "PART", 2)
    bans = [
        *(ban(n, f"192.0.2.{n}/32") | {"expires": 1_800_000_000 + n} for n in range(1, 6)),
        ban(6, "2001:db8::/64"),
        ban(7, "198.18.0.0/15", kind="allow"),
    ]
    written = replace(all_of(*bans, seq=7), feeds={"digest": "x", "networks": 3})
    written.write(tmp_path)
    found = snapshot.read(tmp_path)

    assert (found.seq, found.mark, found.feeds) == (7, "7", written.feeds)
    for kept, lost in ((found.bans, written.bans), (found.exceptions, written.exceptions)):
        assert list(kept.parts(9)) == list(lost.parts(9))
        assert len(kept)
    assert found.bans.contains(parse_address("192.0.2.5"), 0)


def test_file_of_another_database_is_not_used(follower, tmp_path):
    all_of(ban(1, "192.0.2.1/32"), seq=7).write(tmp_path)
    follower.boot()

    assert not refused(follower.replica, "192.0.2.1")
    assert follower.replica.seq == 0


@pytest.mark.report(
    "etcd-io/etcd#16028",
    "a restore sends numbers back, and who follows them waits for ever",
    "a number whose change is another one is another list: it is read anew",
)
@pytest.mark.parametrize("since_then", [0, 1, 2, 3], ids="{} changes since".format)
def test_restored_database_is_another_list(follower, since_then):
    follower.boot()
    follower.truth.new = [change(n, ban(n, f"192.0.2.{n}/32")) for n in range(1, 4)]
    follower.look_after()
    kept = follower.truth.new[:1]
    new = [change(n, ban(n, f"192.0.2.{n + 10}/32"), past="x") for n in range(2, 2 + since_then)]
    follower.truth.new = kept + new
    follower.truth.all = all_of(
        ban(1, "192.0.2.1/32"),
        *(each.document for each in new),
        seq=1 + since_then,
        past="x" if new else "",
    )
    follower.look_after()

    assert refused(follower.replica, "192.0.2.1")
    assert not refused(follower.replica, "192.0.2.2")
    assert not refused(follower.replica, "192.0.2.3")
    assert all(refused(follower.replica, f"192.0.2.{n + 10}") for n in range(2, 2 + since_then))


def test_change_of_another_past_on_the_stream_sends_to_the_database(follower):
    follower.boot()
    follower.truth.new = [change(1, ban(1, "192.0.2.1/32"))]
    follower.look_after()
    follower.stream.sent = [change(2, ban(2, "192.0.2.2/32"), past="x")]
    follower.listen()

    assert follower._behind.is_set()
    assert not refused(follower.replica, "192.0.2.2")


def test_change_that_came_while_the_database_was_asked_is_no_other_past(follower):
    follower.boot()
    follower.truth.new = first, second = [change(n, ban(n, f"192.0.2.{n}/32")) for n in (1, 2)]
    ask = follower.truth.changes

    def changes(since, most):
        found = ask(since, most)
        follower.stream.sent = [first, second]
        follower.listen()
        return found

    follower.truth.changes = changes
    follower.truth.everything = None
    follower.catch_up()

    assert follower.replica.seq == 2


def test_stream_that_lost_a_change_sends_to_the_database(follower):
    follower.boot()
    follower.truth.new = [change(1, ban(1, "192.0.2.1/32")), change(2, ban(2, "192.0.2.2/32"))]
    follower.stream.sent = follower.truth.new[1:]
    follower.listen()
    follower.look_after()

    assert refused(follower.replica, "192.0.2.1")
    assert refused(follower.replica, "192.0.2.2")


def test_without_redis_the_database_tells(follower):
    follower.boot()
    follower.stream.down = True
    follower.truth.new = [change(1, ban(1, "192.0.2.1/32"))]
    with pytest.raises(SourceDown):
        follower.listen()
    follower.look_after()

    assert refused(follower.replica, "192.0.2.1")
