"""The layers together: who is asked, and what is served when Redis or the database is not there."""

import socket
import threading
import time

import pytest
from layers.breaker import Breaker
from layers.layered import LayeredCache, Overloaded, Source
from layers.leases import MOST_BYTES, PREFIX, TAG_PREFIX, Leases, Ttl, Value
from layers.tags import Tags, adopt
from lifetimes import SPENT, TTL
from redis import Connection, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def failing():
    raise RuntimeError("the database is away")


def test_layers_are_asked_from_the_nearest_on(cache, key, value):
    sources = [cache.get(key, lambda: value, TTL).source for _ in range(3)]

    assert sources == [Source.COMPUTED, Source.REDIS, Source.LOCAL]
    assert cache.get(key, failing, TTL, nearest=False).source is Source.REDIS


def test_waiting_readers_get_the_result_of_the_one_that_computes(cache, key, value):
    began, go_on, answers, computed = threading.Event(), threading.Event(), [], []

    def compute():
        computed.append(1)
        began.set()
        go_on.wait(5)
        return value

    def read():
        answers.append(cache.get(key, compute, TTL).value)

    readers = [threading.Thread(target=read) for _ in range(5)]
    for reader in readers:
        reader.start()
    began.wait(5)
    go_on.set()
    for reader in readers:
        reader.join()

    assert answers == [value] * 5
    assert len(computed) == 1


def test_stale_is_served_on_while_the_database_fails(cache, key, value, events, wait_until):
    cache.get(key, lambda: value, SPENT)

    assert cache.get(key, failing, SPENT).value == value
    wait_until(lambda: "refresh failures" in events)
    assert cache.get(key, failing, SPENT).value == value


def test_value_that_was_purged_while_it_was_computed_says_so(cache, key, value):
    def compute():
        cache.purge([value.tags[1]])
        return value

    assert cache.get(key, compute, TTL).source is Source.OVERTAKEN
    assert cache.get(key, lambda: value, TTL).source is Source.COMPUTED


def test_refresh_that_waited_longer_than_its_lease_is_dropped(cache, key, value):
    brief = Ttl(soft_ms=0, hard_ms=120_000, lease_ms=30)
    go_on, computed = threading.Event(), []

    def slow():
        computed.append(1)
        go_on.wait(5)
        return value

    keys = [f"{key}:{number}" for number in range(4)]
    for each in keys:
        cache.get(each, lambda: value, brief)
    for each in keys:  # there are two threads
        assert cache.get(each, slow, brief).source is Source.STALE
    time.sleep(0.05)
    go_on.set()
    cache._background.shutdown()

    assert len(computed) == 2


def test_failed_computation_gives_the_lease_back(cache, key, value):
    with pytest.raises(RuntimeError):
        cache.get(key, failing, TTL)

    assert cache.get(key, lambda: value, TTL).source is Source.COMPUTED


def test_damaged_entry_is_computed_again_and_counted(cache, redis, key, value, events):
    cache.get(key, lambda: value, TTL)
    redis.hset(f"{PREFIX}entry:{key}", "value", "damaged")

    assert cache.get(key, lambda: value, TTL, nearest=False).source is Source.COMPUTED
    assert "corrupt" in events


ENTRY = f"{PREFIX}entry:"


@pytest.mark.parametrize(
    ("spoil", "event"),
    [
        (lambda redis, name: redis.hset(name, "value", b"\x80"), "corrupt"),
        (lambda redis, name: redis.hset(name, "seq", "no number"), "foreign"),
        (lambda redis, name: redis.hdel(name, "crc"), "foreign"),
        (lambda redis, name: redis.delete(name) and redis.set(name, "a string"), "foreign"),
        (lambda redis, name: redis.delete(name) and redis.lpush(name, "a", "list"), "foreign"),
        (lambda redis, name: redis.hincrby(name, "soft_ms", 10**10), "ahead of the clock"),
    ],
    ids=["damaged", "no number", "a field less", "string", "list", "clock"],
)
def test_what_cannot_be_believed_is_computed_again_counted_and_logged(
    cache, redis, key, value, events, caplog, wait_until, spoil, event
):
    cache.get(key, lambda: value, TTL)
    spoil(redis, f"{ENTRY}{key}")

    assert cache.get(key, lambda: value, TTL, nearest=False).value == value

    wait_until(lambda: events.count("fill stored") == 2)
    assert events.count(event) == 1
    assert key in caplog.text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda redis, name: redis.set(name, "no number"),
        lambda redis, name: redis.lpush(name, "a", "list"),
    ],
    ids=["string", "list"],
)
def test_foreign_tag_voids_what_carries_it_once(cache, redis, key, value, events, caplog, spoil):
    cache.get(key, lambda: value, TTL)
    spoil(redis, f"{TAG_PREFIX}{value.tags[1]}")

    sources = [cache.get(key, lambda: value, TTL, nearest=False).source for _ in range(3)]

    assert sources == [Source.BYPASS, Source.COMPUTED, Source.REDIS]
    assert events.count("fill foreign tag") == 1
    assert key in caplog.text


@pytest.mark.parametrize("kind", ["string", "list"])
def test_foreign_lease_is_nobody_s(cache, redis, key, value, kind):
    name = f"{PREFIX}lease:{key}"
    redis.set(name, "foreign") if kind == "string" else redis.lpush(name, "foreign")

    assert cache.get(key, lambda: value, TTL).source is Source.COMPUTED


def test_value_over_the_limit_is_served_counted_and_logged(cache, key, events, caplog):
    large = Value(b"x" * (MOST_BYTES + 1), (key,))

    assert cache.get(key, lambda: large, TTL).value == large
    assert "fill too large" in events
    assert key in caplog.text


@pytest.mark.parametrize("name", ["x" * 10_000, "with space", "\x00\n", "ключ"])
def test_any_key_is_cached_and_purged(cache, key, name):
    name = f"{key}{name}"
    sources = [cache.get(name, lambda: Value(b"x", (name,)), TTL).source for _ in range(3)]
    assert sources == [Source.COMPUTED, Source.REDIS, Source.LOCAL]

    assert cache.purge([name])

    assert cache.get(name, lambda: Value(b"y", (name,)), TTL).source is Source.COMPUTED


@pytest.fixture
def gone(local, events):
    """A cache whose Redis is not there."""
    redis = Redis(port=1, retry=Retry(NoBackoff(), 0))
    local.clear(up=False)
    return LayeredCache(
        Leases(redis),
        Tags(redis),
        local,
        Breaker(),
        most_computations=2,
        patience_seconds=0.2,
        note=events.append,
    )


def test_without_redis_pages_are_computed(gone, key, value, events):
    sources = {gone.get(key, lambda: value, TTL).source for _ in range(10)}

    assert sources == {Source.BYPASS}
    assert events.count("redis failures") == 3  # then the breaker is open
    assert not gone.purge([key])


def test_silent_redis_delays_a_few_requests_and_no_more(tags, local, key, value, events):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        port = silent.getsockname()[1]
        redis = Redis(port=port, socket_timeout=0.1, retry=Retry(NoBackoff(), 0))
        cache = LayeredCache(Leases(redis), tags, local, Breaker(), note=events.append)
        began = time.monotonic()

        sources = [cache.get(key, lambda: value, TTL).source for _ in range(1000)]

        assert set(sources) == {Source.BYPASS}
        assert events.count("redis failures") <= 3 + (time.monotonic() - began) / 0.5


def test_silent_redis_delays_a_few_purges_and_no_more(local, key, events):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        port = silent.getsockname()[1]
        redis = Redis(port=port, socket_timeout=0.1, retry=Retry(NoBackoff(), 0))
        cache = LayeredCache(Leases(redis), Tags(redis), local, Breaker(), note=events.append)
        began = time.monotonic()

        local.store(key, Value(b"old", (f"{key}:999",)), 60, local.epoch)
        heard = [cache.purge([f"{key}:{number}"]) for number in range(1000)]

        assert not any(heard)
        assert local.get(key) is None  # this process knows
        assert events.count("redis failures") <= 3 + (time.monotonic() - began) / 0.5


def test_without_redis_the_database_gets_no_more_than_its_cap(gone, key, value, wait_until):
    go_on, most, now = threading.Event(), [0], [0]

    def compute():
        now[0] += 1
        most[0] = max(most[0], now[0])
        go_on.wait(5)
        now[0] -= 1
        return value

    holders = [threading.Thread(target=gone.get, args=[key, compute, TTL]) for _ in range(2)]
    for holder in holders:
        holder.start()
    wait_until(lambda: now == [2])
    with pytest.raises(Overloaded):
        gone.get(key, compute, TTL)
    go_on.set()
    for holder in holders:
        holder.join()

    assert most == [2]


def connected(redis) -> Connection:
    """A new connection, as the cache makes one."""
    where = redis.connection_pool.connection_kwargs
    told = {name: where[name] for name in ("host", "port", "db", "password")}
    connection = Connection(**told, redis_connect_func=adopt)
    connection.connect()
    return connection


def test_another_server_is_purged_before_it_is_read(redis, key):
    leases = Leases(redis)
    lease = leases.read(key, TTL).lease
    leases.fill(key, lease, Value(b"old", (key,)), TTL)
    redis.set(f"{PREFIX}run_id", "of the server before the restart")

    connected(redis).disconnect()

    assert leases.read(key, TTL).value is None


def test_full_redis_still_hears_purges_and_keeps_what_it_has(cache, redis, key, value, events):
    cache.get(key, lambda: value, TTL)
    limit = redis.config_get("maxmemory")["maxmemory"]
    redis.config_set("maxmemory", 1)
    try:
        assert cache.get(key, failing, TTL, nearest=False).source is Source.REDIS
        assert cache.purge([key])
        for _ in range(2):  # nothing is stored, and nobody waits for it
            assert cache.get(key, lambda: value, TTL).source is Source.BYPASS
    finally:
        redis.config_set("maxmemory", limit)
    assert events.count("fill full") == 2


def test_known_server_keeps_its_entries(redis, key):
    leases = Leases(redis)
    for _ in range(2):
        connected(redis).disconnect()
        if not (reading := leases.read(key, TTL)).value:
            leases.fill(key, reading.lease, Value(b"x", (key,)), TTL)

    assert leases.read(key, TTL).value.data == b"x"


def test_breaker_lets_one_question_through_per_interval():
    now = [0.0]
    breaker = Breaker(failures=2, probe_seconds=1, clock=lambda: now[0])
    breaker.failed()
    assert breaker.allows()
    breaker.failed()

    assert not breaker.allows()
    now[0] = 1
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.succeeded()
    assert breaker.allows()
