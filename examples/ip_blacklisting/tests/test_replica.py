"""A copy of the list: every change once and in order, or everything again."""

from pathlib import Path

import pytest
from shield import snapshot
from shield.addresses import parse_address
from shield.follower import Follower, SourceDown
from shield.replica import Change, Gap, Replica
from shield.snapshot import Snapshot


def ban(number, network, *, lifted=False, kind="deny"):
    return {
        "id": number,
        "network": network,
        "kind": kind,
        "scope": "full",
        "shadow": False,
        "expires": None,
        "lifted": lifted,
    }


def refused(replica, text):
    return replica.matcher.find(parse_address(text), 0) is not None


def all_of(*bans, epoch="epoch", seq=0):
    copy = Replica(lambda _: None, epoch=epoch, seq=seq)
    for each in bans:
        copy.ban(each)
    return copy.snapshot()


@pytest.fixture
def replica():
    return Replica(lambda _: None)


def test_missing_change_is_noticed(replica):
    with pytest.raises(Gap):
        replica.apply([Change(1, ban(1, "192.0.2.1/32")), Change(3, ban(3, "192.0.2.3/32"))])

    assert replica.seq == 1


def test_change_that_comes_twice_is_applied_once(replica):
    change = Change(1, ban(1, "192.0.2.1/32"))

    assert [replica.apply([change]), replica.apply([change])] == [1, 0]


def test_late_end_of_an_older_ban_does_not_lift_the_newer(replica):
    replica.ban(ban(1, "192.0.2.1/32"))
    replica.ban(ban(2, "192.0.2.1/32"))
    replica.ban(ban(1, "192.0.2.1/32", lifted=True))

    assert refused(replica, "192.0.2.1")


def test_checksum_is_the_same_in_any_order(replica):
    other = Replica(lambda _: None)
    one, two = ban(1, "192.0.2.1/32"), ban(2, "192.0.2.0/24", kind="allow")
    replica.ban(one)
    replica.ban(two)
    replica.ban(ban(3, "192.0.2.9/32"))
    replica.ban(ban(3, "192.0.2.9/32", lifted=True))
    other.ban(two)
    other.ban(one)

    assert replica.checksum == other.checksum != 0


class Truth:
    """PostgreSQL as it might be."""

    def __init__(self):
        self.down = False
        self.all = all_of()
        self.new = []
        self.sum = (0, 0)

    def ask(self, answer):
        if self.down:
            raise SourceDown("PostgreSQL is stopped")
        return answer

    def changes(self, after, most):
        return self.ask([change for change in self.new if change.seq > after][:most])

    def everything(self):
        return self.ask(self.all)

    def epoch(self):
        return self.ask(self.all.epoch)

    def checksum(self):
        return self.ask(self.sum)


class Stream:
    def __init__(self):
        self.down = False
        self.sent = []

    def wait(self, _epoch, after, _seconds):
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
    Snapshot("epoch", 1).write(tmp_path)
    path = tmp_path / snapshot.NAME
    path.write_bytes(path.read_bytes()[:-1])

    assert snapshot.read(tmp_path) is None


def test_file_holds_every_ban_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "PART", 2)
    feed = {"id": 9, "name": "drop", "version": 1, "networks": 0}
    bans = [
        *(ban(n, f"192.0.2.{n}/32") | {"expires": 1_800_000_000 + n} for n in range(1, 6)),
        ban(6, "2001:db8::/64") | {"scope": "login", "shadow": True},
        ban(7, "198.18.0.0/15", kind="allow"),
    ]
    written = all_of(*bans, seq=7)
    Snapshot(
        **{name: getattr(written, name) for name in written.__slots__} | {"feeds": [feed]}
    ).write(tmp_path)
    found = snapshot.read(tmp_path)

    assert (found.epoch, found.seq, found.checksum) == ("epoch", 7, written.checksum)
    assert list(found.feeds) == [feed]
    for kept, lost in ((found.bans, written.bans), (found.exceptions, written.exceptions)):
        assert list(kept) == list(lost)
        assert len(kept)


def test_file_of_another_database_is_not_used(follower, tmp_path):
    all_of(ban(1, "192.0.2.1/32"), epoch="older", seq=7).write(tmp_path)
    follower.boot()

    assert not refused(follower.replica, "192.0.2.1")
    assert follower.replica.epoch == "epoch"


def test_stream_that_lost_a_change_sends_to_the_database(follower):
    follower.boot()
    follower.truth.new = [Change(1, ban(1, "192.0.2.1/32")), Change(2, ban(2, "192.0.2.2/32"))]
    follower.stream.sent = follower.truth.new[1:]
    follower.listen()
    follower.look_after()

    assert refused(follower.replica, "192.0.2.1")
    assert refused(follower.replica, "192.0.2.2")


def test_without_redis_the_database_tells(follower):
    follower.boot()
    follower.stream.down = True
    follower.truth.new = [Change(1, ban(1, "192.0.2.1/32"))]
    with pytest.raises(SourceDown):
        follower.listen()
    follower.look_after()

    assert refused(follower.replica, "192.0.2.1")


def test_copy_that_differs_is_read_again(follower):
    follower.boot()
    follower.truth.all = all_of(ban(1, "192.0.2.1/32"))
    follower.truth.sum = (0, 12345)
    follower.verify()

    assert refused(follower.replica, "192.0.2.1")
    assert follower.reloads == 1
