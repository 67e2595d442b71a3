"""A copy of the list: every change once and in order, or everything again."""

import pytest
from shield import snapshot
from shield.addresses import host_of, parse_address, parse_network
from shield.follower import Follower, SourceDown
from shield.replica import Change, Replica
from shield.run import Run, pack
from shield.snapshot import Disk


def ban(network, *, lifted=False, kind="deny", expires=None):
    return {"network": network, "kind": kind, "expires": expires, "lifted": lifted}


def no_run(_digest):
    return None


def change(seq, document, *, past=""):
    """One of a row of changes; *past* tells apart what two databases did."""
    return Change(seq, f"{past}{seq}", document)


def refused(replica, text):
    return replica.refuses(host_of(parse_address(text)), 0)


def all_of(*bans, seq=0, past=""):
    copy = Replica(seq, f"{past}{seq}" if seq else "")
    for each in bans:
        copy.take_ban(each)
    return copy


@pytest.fixture
def replica():
    return Replica()


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path, no_run)


def test_change_that_comes_twice_is_applied_once(replica):
    made, lifted = (
        change(1, ban("192.0.2.1/32")),
        change(2, ban("192.0.2.1/32", lifted=True)),
    )
    replica.apply([made, lifted], no_run)
    replica.apply([made], no_run)

    assert (replica.seq, refused(replica, "192.0.2.1")) == (2, False)


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


class Bell:
    def __init__(self):
        self.down = self.rung = False

    def wait(self, _seconds):
        if self.down:
            raise SourceDown("Redis is stopped")
        return self.rung


@pytest.fixture
def follower(disk):
    truth, bell = Truth(), Bell()
    made = Follower(truth.changes, truth.everything, bell.wait, disk)
    made.truth, made.bell = truth, bell
    return made


def test_without_file_and_database_there_is_no_list(follower):
    follower.truth.down = True

    with pytest.raises(SourceDown):
        follower.boot()
    assert not follower.ready.is_set()


def test_file_is_enough_to_start(follower, disk):
    disk.write(all_of(ban("192.0.2.1/32"), seq=1))
    follower.truth.down = True
    follower.boot()

    assert follower.ready.is_set()
    assert refused(follower.replica, "192.0.2.1")


def test_file_that_is_damaged_is_none(disk):
    disk.write(all_of(ban("192.0.2.1/32"), seq=1))
    path = disk.folder / snapshot.NAME
    whole = path.read_bytes()
    for length in (0, 7, len(whole) - 2):
        path.write_bytes(whole[:length])
        assert disk.read() is None


def test_file_holds_every_ban_as_it_was(disk, monkeypatch):
    monkeypatch.setattr(snapshot, "PART", 2)
    written = all_of(
        *(ban(f"192.0.2.{n}/32", expires=1_800_000_000 + n) for n in range(1, 6)),
        ban("2001:db8::/64"),
        ban("198.18.0.0/16", kind="allow"),
        seq=7,
    )
    written.feeds = {"digest": "x", "networks": 3}
    disk.write(written)
    found = disk.read()

    assert (found.seq, found.mark, found.feeds) == (7, "7", written.feeds)
    assert found.bans.entries == written.bans.entries
    assert found.exceptions.entries == written.exceptions.entries
    assert (len(found.bans.entries), len(found.exceptions.entries)) == (6, 1)
    assert refused(found, "192.0.2.5")


def test_feeds_whose_run_a_later_change_brings_leave_the_last_ones(follower):
    run = pack([parse_network("192.0.2.0/24").span])
    follower.disk = Disk(follower.disk.folder, {"one": run}.get)
    follower.boot()
    feeds = [{"digest": name, "networks": 1} for name in ("one", "two")]
    follower.truth.new = [change(n, each) for n, each in enumerate(feeds, 1)]
    follower.catch_up()
    assert (refused(follower.replica, "192.0.2.1"), follower.replica.feeds) == (True, feeds[1])
    follower.truth.all = Replica(9, "9", feeds[1])
    follower.truth.new = []
    follower.catch_up()
    assert (refused(follower.replica, "192.0.2.1"), follower.replica.seq) == (True, 9)
    follower.truth.all = Replica(10, "10", {"digest": "", "networks": 0})
    follower.catch_up()
    assert not refused(follower.replica, "192.0.2.1")


def test_runs_that_are_not_in_use_are_swept(disk):
    for digest in ("old", "new"):
        Disk(disk.folder, {digest: bytes(8)}.get).run(digest)
    disk.write(Replica(feeds={"digest": "new", "networks": 1}))

    assert [path.stem for path in disk.folder.glob("*.run")] == ["new"]
    assert isinstance(disk.run("new"), Run)


def test_file_of_another_database_is_not_used(follower, disk):
    disk.write(all_of(ban("192.0.2.1/32"), seq=7))
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
    follower.truth.new = [change(n, ban(f"192.0.2.{n}/32")) for n in range(1, 4)]
    follower.look_after()
    kept = follower.truth.new[:1]
    new = [change(n, ban(f"192.0.2.{n + 10}/32"), past="x") for n in range(2, 2 + since_then)]
    follower.truth.new = kept + new
    follower.truth.all = all_of(
        ban("192.0.2.1/32"),
        *(each.document for each in new),
        seq=1 + since_then,
        past="x" if new else "",
    )
    follower.look_after()

    assert refused(follower.replica, "192.0.2.1")
    assert not refused(follower.replica, "192.0.2.2")
    assert not refused(follower.replica, "192.0.2.3")
    assert all(refused(follower.replica, f"192.0.2.{n + 10}") for n in range(2, 2 + since_then))


def test_bell_that_rang_is_rung_until_the_database_has_answered(follower):
    follower.boot()
    follower.listen()
    assert not follower._rung.is_set()
    follower.bell.rung = follower.truth.down = True
    follower.listen()
    assert follower._rung.is_set()
    with pytest.raises(SourceDown):
        follower.look_after()
    assert follower._rung.is_set()  # else it would be asked again three seconds later
    follower.truth.down = False
    follower.truth.new = [change(1, ban("192.0.2.1/32"))]
    follower.look_after()

    assert refused(follower.replica, "192.0.2.1")
    assert not follower._rung.is_set()


def test_who_is_far_behind_reads_everything(follower, monkeypatch):
    monkeypatch.setattr("shield.follower.MOST_CHANGES", 3)
    follower.boot()
    follower.truth.new = [change(n, ban(f"192.0.2.{n}/32")) for n in range(1, 9)]
    follower.truth.all = all_of(*(each.document for each in follower.truth.new), seq=8)
    follower.catch_up()

    assert (follower.replica.seq, refused(follower.replica, "192.0.2.8")) == (8, True)


def test_without_redis_the_database_tells(follower):
    follower.boot()
    follower.listen()
    assert follower._listening
    follower.bell.down = True
    follower.truth.new = [change(1, ban("192.0.2.1/32"))]
    with pytest.raises(SourceDown):
        follower.listen()
    assert not follower._listening  # else the database would be asked as seldom as with a bell
    follower.look_after()

    assert refused(follower.replica, "192.0.2.1")
