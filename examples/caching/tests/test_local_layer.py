"""The layer in this process: what it keeps, for how long, and what it refuses to keep."""

import pytest
from layers.local_layer import REMEMBERED, LocalLayer
from layers.tracking import track
from layers.values import EVERYTHING, Value


def test_answer_that_was_overtaken_by_a_purge_is_not_kept(local, key, value):
    epoch = local.epoch
    local.purge([value.tags[1]])

    local.store(key, value, 60, epoch)
    assert local.get(key) is None


def test_purge_of_another_tag_does_not_disturb_a_read(local, key, value):
    epoch = local.epoch
    local.purge(["another"])

    local.store(key, value, 60, epoch)
    assert local.get(key) == value


@pytest.mark.parametrize("tags", [["country"], [EVERYTHING]])
def test_purge_evicts_what_carries_the_tag(local, key, tags):
    local.store(key, Value(b"x", (key, "country")), 60, local.epoch)
    local.purge(tags)

    assert local.get(key) is None
    assert local.bytes == 0


def test_nothing_is_served_or_kept_while_the_tracking_is_down(local, key, value):
    epoch = local.epoch
    local.store(key, value, 60, epoch)
    local.clear(up=False)

    assert local.epoch is None
    assert local.get(key) is None
    for taken in (epoch, local._epoch):  # the latter by a reader who saw it up and then went on
        local.store(key, value, 60, taken)
        assert local.get(key) is None


def test_read_from_before_a_reconnect_is_not_kept(local, key, value):
    epoch = local.epoch
    local.clear(up=False)
    local.clear(up=True)

    local.store(key, value, 60, epoch)
    assert local.get(key) is None


def test_entry_ends_with_its_soft_expiry(key, value):
    now = [0.0]
    local = LocalLayer(100_000, clock=lambda: now[0])
    local.clear(up=True)
    local.store(key, value, 10, local.epoch)

    now[0] = 9.9
    assert local.get(key) == value
    now[0] = 10
    assert local.get(key) is None


def test_traffic_of_many_keys_stays_within_the_bound():
    local = LocalLayer(200_000)
    local.clear(up=True)

    for number in range(20_000):
        local.store(str(number), Value(b"x" * 100, (str(number),)), 60, local.epoch)
        assert local.bytes <= 200_000

    assert local.get("19999")
    assert local.get("0") is None
    assert local.bytes > 150_000


def test_what_is_larger_than_the_layer_leaves_the_others(local, key, value):
    local.store(key, value, 60, local.epoch)
    local.store("huge", Value(b"x" * 100_000, ()), 60, local.epoch)

    assert local.get("huge") is None
    assert local.get(key) == value


def test_what_is_read_stays_longest(local):
    entries = 100_000 // 1_500
    for number in range(3 * entries):
        local.store(str(number), Value(b"x" * 500, (str(number),)), 60, local.epoch)
        assert local.get("0")


def test_purges_that_are_no_more_remembered_count_for_every_tag(local, key, value):
    epoch = local.epoch
    local.store("other", Value(b"x", ("never purged",)), 60, epoch)
    local.purge([value.tags[1]])
    local.purge([str(number) for number in range(REMEMBERED)])
    local.store(key, value, 60, epoch)

    assert local.get(key) is None
    assert local.get("other") is None
    local.store("other", Value(b"x", ("never purged",)), 60, local.epoch)
    assert local.get("other")


@pytest.fixture
def tracked(local, redis, wait_until):
    local.clear(up=False)
    track(local, redis)
    wait_until(lambda: local.epoch is not None)
    return local


def test_purge_of_another_process_is_heard(tracked, shared, key, value, wait_until):
    tracked.store(key, value, 600, tracked.epoch)  # longer than a test waits
    assert tracked.get(key) == value

    shared.purge([value.tags[1]])

    wait_until(lambda: tracked.get(key) is None)


def test_lost_connection_empties_the_layer_and_comes_back(tracked, redis, key, value, wait_until):
    tracked.store(key, value, 600, tracked.epoch)  # longer than a test waits
    assert tracked.get(key) == value

    for client in redis.client_list():
        if client["sub"] != "0":
            redis.client_kill_filter(_id=client["id"])

    wait_until(lambda: tracked.get(key) is None)
    wait_until(lambda: tracked.epoch is not None)
    assert tracked.get(key) is None


def test_process_that_does_not_hear_its_own_purge_keeps_nothing(
    local, redis, wait_until, monkeypatch
):
    monkeypatch.setattr("layers.tracking.CHANNEL", "elsewhere")  # as a connection that is half dead
    local.clear(up=False)
    track(local, redis)

    wait_until(lambda: local.epoch is not None)
    wait_until(lambda: local.epoch is None)
