"""Who may compute, who may fill, and what is refused: against a real server."""

import os
import time
from typing import Any, ClassVar

import pytest
from layers.redis_layer import ENTRIES, TAG_PREFIX, RedisLayer
from layers.values import EVERYTHING, PURGE_MEMORY_MS, Source, Ttl, Value
from lifetimes import TTL
from readings import read
from redis import Connection, ConnectionPool, Redis


def filled(shared, key, value, ttl=TTL):
    reading = read(shared, key, ttl)
    assert reading.state == "compute"
    assert shared.fill(key, reading.lease, value, ttl) is Source.COMPUTED


def test_only_one_reader_gets_the_lease(shared, key):
    states = [read(shared, key, TTL).state for _ in range(3)]

    assert states == ["compute", "wait", "wait"]


def test_fill_after_the_lease_is_refused(shared, redis, key, value):
    lease = read(shared, key, TTL).lease
    redis.delete(f"{ENTRIES}lease:{key}")  # as its expiry does

    assert shared.fill(key, lease, value, TTL) is Source.OVERTAKEN
    assert read(shared, key, TTL).value is None


def test_late_holder_neither_fills_nor_frees_the_lease_of_the_next(shared, redis, key, value):
    late = read(shared, key, TTL).lease
    redis.delete(f"{ENTRIES}lease:{key}")
    current = read(shared, key, TTL).lease

    assert shared.fill(key, late, value, TTL) is Source.OVERTAKEN
    shared.give_back(key, late)
    assert read(shared, key, TTL).state == "wait"
    assert shared.fill(key, current, value, TTL) is Source.COMPUTED


def test_lease_ends_by_itself(shared, key, wait_until):
    read(shared, key, Ttl(60_000, 120_000, lease_ms=30))

    wait_until(lambda: read(shared, key, TTL).state == "compute")


def test_fill_with_a_live_lease_is_refused_if_another_tag_was_purged_meanwhile(shared, key, value):
    lease = read(shared, key, TTL).lease
    shared.purge([value.tags[1]])

    assert shared.fill(key, lease, value, TTL) is Source.OVERTAKEN
    assert read(shared, key, TTL).state == "compute"


def test_past_the_soft_expiry_one_reader_refreshes_and_the_others_are_served(shared, key, value):
    filled(shared, key, value, Ttl(soft_ms=0, hard_ms=60_000, lease_ms=60_000))

    readings = [read(shared, key, TTL) for _ in range(3)]

    assert [each.state for each in readings] == ["refresh", "stale", "stale"]
    assert {each.value for each in readings} == {value}


def test_stale_value_that_was_purged_is_not_served(shared, key, value):
    filled(shared, key, value, Ttl(soft_ms=0, hard_ms=60_000, lease_ms=60_000))
    shared.purge([value.tags[1]])

    assert read(shared, key, TTL).state == "compute"


class Counted(Connection):
    """A connection that keeps what is sent; others send commands to the same server, too."""

    sent: ClassVar[list[Any]] = []

    def send_packed_command(self, command, check_health=True):
        self.sent.append(command)
        super().send_packed_command(command, check_health)


def test_purging_a_tag_is_one_command_whatever_it_covers(shared, key):
    for number in range(50):
        filled(shared, f"{key}:{number}", Value(b"x", (key,)))
    pool = ConnectionPool.from_url(os.environ["REDIS_URL"], connection_class=Counted)
    with Redis(connection_pool=pool) as redis:
        counted = RedisLayer(redis)
        counted.purge(["another"])  # it sends the script, once
        Counted.sent.clear()
        counted.purge([key])
    pool.disconnect()

    assert len(Counted.sent) == 1
    assert {read(shared, f"{key}:{number}", TTL).state for number in range(50)} == {"compute"}


def test_absent_thing_is_gone_when_it_is_created(shared, key):
    filled(shared, key, Value(b"", (key,)))
    assert read(shared, key, TTL).value.data == b""

    shared.purge([key])

    assert read(shared, key, TTL).state == "compute"


@pytest.mark.parametrize("field", ["soft_ms", "seq"])
def test_entry_without_its_numbers_is_a_miss(shared, redis, key, value, field):
    filled(shared, key, value)
    redis.hset(f"{ENTRIES}entry:{key}", field, "no number")

    assert read(shared, key, TTL).state == "compute"


@pytest.mark.parametrize("field", ["value", "tags", "soft_ms", "seq"])
def test_entry_that_lacks_a_field_is_a_miss(shared, redis, key, value, field):
    filled(shared, key, value)
    redis.hdel(f"{ENTRIES}entry:{key}", field)

    assert read(shared, key, TTL).state == "compute"


@pytest.mark.parametrize("name", ["x" * 10_000, "with space", "\x00\n", "ключ"])
def test_any_key_is_a_key(shared, key, name):
    name = f"{key}{name}"
    filled(shared, name, Value(b"x", (key,)))

    assert read(shared, name, TTL).value.data == b"x"


@pytest.mark.parametrize("tag", ["x" * 10_000, "with space", "\x00\n", "ключ"])
def test_any_tag_is_a_tag(shared, key, tag):
    filled(shared, key, Value(b"x", (f"{key}{tag}", "another")))

    shared.purge([f"{key}{tag}"])

    assert read(shared, key, TTL).state == "compute"


def test_entry_ends_with_its_hard_expiry(shared, key, value, wait_until):
    filled(shared, key, value, Ttl(soft_ms=60_000, hard_ms=30, lease_ms=60_000))

    wait_until(lambda: read(shared, key, TTL).state == "compute")


def test_absent_thing_ends_sooner(shared, redis, key):
    began = time.monotonic()
    filled(shared, key, Value(b"", (key,)))
    left = redis.pttl(f"{ENTRIES}entry:{key}")
    passed = (time.monotonic() - began) * 1_000

    assert TTL.absent_ms - passed - 1 <= left <= TTL.absent_ms or passed > TTL.absent_ms


def test_fill_is_refused_if_everything_was_purged_meanwhile(shared, key, value):
    lease = read(shared, key, TTL).lease
    shared.purge([EVERYTHING])

    assert shared.fill(key, lease, value, TTL) is Source.OVERTAKEN


def test_purge_is_remembered_for_longer_than_any_entry_lives(shared, redis, key):
    shared.purge([key])

    assert PURGE_MEMORY_MS - 60_000 < redis.pttl(f"{TAG_PREFIX}{key}") <= PURGE_MEMORY_MS


@pytest.mark.parametrize("kind", ["string", "list"])
def test_foreign_lease_without_an_end_is_nobody_s(shared, redis, key, kind):
    name = f"{ENTRIES}lease:{key}"
    redis.set(name, "foreign") if kind == "string" else redis.lpush(name, "foreign")

    assert read(shared, key, TTL).state == "compute"
