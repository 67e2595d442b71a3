"""Who may compute, who may fill, and what is refused: against a real server."""

import os
import time
from typing import Any, ClassVar

import pytest
from layers.leases import ENTRIES, TAG_PREFIX, Source, State
from layers.tags import EVERYTHING, Tags
from layers.values import PURGE_MEMORY_MS, Ttl, Value
from lifetimes import TTL
from redis import Connection, ConnectionPool, Redis


def filled(leases, key, value, ttl=TTL):
    reading = leases.read(key, ttl)
    assert reading.state is State.COMPUTE
    assert leases.fill(key, reading.lease, value, ttl) is Source.COMPUTED


def test_only_one_reader_gets_the_lease(leases, key):
    states = [leases.read(key, TTL).state for _ in range(3)]

    assert states == [State.COMPUTE, State.WAIT, State.WAIT]


def test_fill_after_the_lease_is_refused(leases, redis, key, value):
    lease = leases.read(key, TTL).lease
    redis.delete(f"{ENTRIES}lease:{key}")  # as its expiry does

    assert leases.fill(key, lease, value, TTL) is Source.OVERTAKEN
    assert leases.read(key, TTL).value is None


def test_late_holder_neither_fills_nor_frees_the_lease_of_the_next(leases, redis, key, value):
    late = leases.read(key, TTL).lease
    redis.delete(f"{ENTRIES}lease:{key}")
    current = leases.read(key, TTL).lease

    assert leases.fill(key, late, value, TTL) is Source.OVERTAKEN
    leases.give_back(key, late)
    assert leases.read(key, TTL).state is State.WAIT
    assert leases.fill(key, current, value, TTL) is Source.COMPUTED


def test_lease_ends_by_itself(leases, key, wait_until):
    leases.read(key, Ttl(60_000, 120_000, lease_ms=30))

    wait_until(lambda: leases.read(key, TTL).state is State.COMPUTE)


def test_fill_with_a_live_lease_is_refused_if_another_tag_was_purged_meanwhile(
    leases, tags, key, value
):
    lease = leases.read(key, TTL).lease
    tags.purge([value.tags[1]])

    assert leases.fill(key, lease, value, TTL) is Source.OVERTAKEN
    assert leases.read(key, TTL).state is State.COMPUTE


def test_past_the_soft_expiry_one_reader_refreshes_and_the_others_are_served(leases, key, value):
    filled(leases, key, value, Ttl(soft_ms=0, hard_ms=60_000, lease_ms=60_000))

    readings = [leases.read(key, TTL) for _ in range(3)]

    assert [each.state for each in readings] == [State.REFRESH, State.STALE, State.STALE]
    assert {each.value for each in readings} == {value}


def test_stale_value_that_was_purged_is_not_served(leases, tags, key, value):
    filled(leases, key, value, Ttl(soft_ms=0, hard_ms=60_000, lease_ms=60_000))
    tags.purge([value.tags[1]])

    assert leases.read(key, TTL).state is State.COMPUTE


class Counted(Connection):
    """A connection that keeps what is sent; others send commands to the same server, too."""

    sent: ClassVar[list[Any]] = []

    def send_packed_command(self, command, check_health=True):
        self.sent.append(command)
        super().send_packed_command(command, check_health)


def test_purging_a_tag_is_one_command_whatever_it_covers(leases, key):
    for number in range(50):
        filled(leases, f"{key}:{number}", Value(b"x", (key,)))
    pool = ConnectionPool.from_url(os.environ["REDIS_URL"], connection_class=Counted)
    with Redis(connection_pool=pool) as redis:
        tags = Tags(redis)
        tags.purge(["another"])  # it sends the script, once
        Counted.sent.clear()
        tags.purge([key])
    pool.disconnect()

    assert len(Counted.sent) == 1
    assert {leases.read(f"{key}:{number}", TTL).state for number in range(50)} == {State.COMPUTE}


def test_absent_thing_is_gone_when_it_is_created(leases, tags, key):
    filled(leases, key, Value(b"", (key,)))
    assert leases.read(key, TTL).value.absent

    tags.purge([key])

    assert leases.read(key, TTL).state is State.COMPUTE


@pytest.mark.parametrize("field", ["soft_ms", "seq"])
def test_entry_without_its_numbers_is_a_miss(leases, redis, key, value, field):
    filled(leases, key, value)
    redis.hset(f"{ENTRIES}entry:{key}", field, "no number")

    assert leases.read(key, TTL).state is State.COMPUTE


@pytest.mark.parametrize("field", ["value", "tags", "soft_ms", "seq"])
def test_entry_that_lacks_a_field_is_a_miss(leases, redis, key, value, field):
    filled(leases, key, value)
    redis.hdel(f"{ENTRIES}entry:{key}", field)

    assert leases.read(key, TTL).state is State.COMPUTE


def test_foreign_type_is_a_miss_and_is_replaced(leases, redis, key, value):
    redis.set(f"{ENTRIES}entry:{key}", "a string")

    filled(leases, key, value)

    assert leases.read(key, TTL).value == value


@pytest.mark.parametrize("name", ["x" * 10_000, "with space", "\x00\n", "ключ"])
def test_any_key_is_a_key(leases, key, name):
    name = f"{key}{name}"
    filled(leases, name, Value(b"x", (key,)))

    assert leases.read(name, TTL).value.data == b"x"


@pytest.mark.parametrize("tag", ["x" * 10_000, "with space", "\x00\n", "ключ"])
def test_any_tag_is_a_tag(leases, tags, key, tag):
    filled(leases, key, Value(b"x", (f"{key}{tag}", "another")))

    tags.purge([f"{key}{tag}"])

    assert leases.read(key, TTL).state is State.COMPUTE


def test_entry_ends_with_its_hard_expiry(leases, key, value, wait_until):
    filled(leases, key, value, Ttl(soft_ms=60_000, hard_ms=30, lease_ms=60_000))

    wait_until(lambda: leases.read(key, TTL).state is State.COMPUTE)


def test_absent_thing_ends_sooner(leases, redis, key):
    began = time.monotonic()
    filled(leases, key, Value(b"", (key,)))
    left = redis.pttl(f"{ENTRIES}entry:{key}")
    passed = (time.monotonic() - began) * 1_000

    assert TTL.absent_ms - passed - 1 <= left <= TTL.absent_ms or passed > TTL.absent_ms


def test_fill_is_refused_if_everything_was_purged_meanwhile(leases, tags, key, value):
    lease = leases.read(key, TTL).lease
    tags.purge([EVERYTHING])

    assert leases.fill(key, lease, value, TTL) is Source.OVERTAKEN


def test_purge_is_remembered_for_longer_than_any_entry_lives(tags, redis, key):
    tags.purge([key])

    assert PURGE_MEMORY_MS - 60_000 < redis.pttl(f"{TAG_PREFIX}{key}") <= PURGE_MEMORY_MS


@pytest.mark.parametrize("kind", ["string", "list"])
def test_foreign_lease_without_an_end_is_nobody_s(leases, redis, key, kind):
    name = f"{ENTRIES}lease:{key}"
    redis.set(name, "foreign") if kind == "string" else redis.lpush(name, "foreign")

    assert leases.read(key, TTL).state is State.COMPUTE
