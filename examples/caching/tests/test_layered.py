"""The layers together: who is asked, and what is served when Redis or the database is not there."""

import socket
import threading
import time

import pytest
from layers.layered import LayeredCache
from layers.redis_layer import CLOCK, ENTRIES, RUN_ID, RedisLayer, adopt
from layers.values import Source, Ttl, Value
from lifetimes import SPENT, TTL
from readings import read
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
        go_on.wait(60)
        return value

    def read():
        answers.append(cache.get(key, compute, TTL).value)

    readers = [threading.Thread(target=read) for _ in range(5)]
    for reader in readers:
        reader.start()
    began.wait(60)
    go_on.set()
    for reader in readers:
        reader.join()

    assert answers == [value] * 5
    assert len(computed) == 1


def test_stale_is_served_on_while_the_database_fails(cache, key, value, caplog, wait_until):
    cache.get(key, lambda: value, SPENT)

    assert cache.get(key, failing, SPENT).value == value
    wait_until(lambda: "stale is served on" in caplog.text)
    assert cache.get(key, failing, SPENT).value == value


def test_value_that_was_purged_while_it_was_computed_says_so(cache, key, value):
    def compute():
        cache.purge([value.tags[1]])
        return value

    assert cache.get(key, compute, TTL).source is Source.OVERTAKEN
    assert cache.get(key, lambda: value, TTL).source is Source.COMPUTED


def test_refresh_that_waited_longer_than_its_lease_is_dropped(cache, key, value, wait_until):
    brief = Ttl(soft_ms=0, hard_ms=120_000, lease_ms=30)
    go_on, computed = threading.Event(), []

    def slow():
        computed.append(1)
        go_on.wait(30)
        return value

    keys = [f"{key}:{number}" for number in range(4)]
    for each in keys:
        cache.get(each, lambda: value, SPENT)
    for each in keys[:2]:  # there are two threads
        assert cache.get(each, slow, SPENT).source is Source.STALE
    wait_until(lambda: len(computed) == 2)
    for each in keys[2:]:
        assert cache.get(each, slow, brief).source is Source.STALE
    time.sleep(0.05)
    go_on.set()
    cache._background.shutdown()

    assert len(computed) == 2


def test_thread_of_a_refresh_is_told_when_it_is_over(cache, key, value, wait_until):
    over = []
    cache.after_refresh = lambda: over.append(threading.get_ident())
    for _ in range(2):
        cache.get(key, lambda: value, SPENT)

    wait_until(lambda: over)
    assert over != [threading.get_ident()]


def test_reader_who_waited_for_longer_than_the_patience_computes(cache, shared, key, value):
    cache.patience_seconds = 0.05
    read(shared, key, TTL)  # somebody else has the lease, and dies

    assert cache.get(key, lambda: value, TTL).source is Source.BYPASS


def test_reader_whom_redis_refuses_is_bypassed_alone_and_that_is_not_said_each_time(
    cache, redis, key, value, caplog
):
    cache.get(key, lambda: value, TTL)
    redis.set(f"{ENTRIES}entry:{key}", "of somebody else")  # no hash
    sources = [cache.get(key, lambda: value, TTL, nearest=False).source for _ in range(100)]

    assert set(sources) == {Source.BYPASS}
    # Once, and once more for each cache of another test that hears of Redis again meanwhile.
    assert 1 <= caplog.text.count("WRONGTYPE") <= 10
    assert cache.get(f"{key}:other", lambda: value, TTL).source is Source.COMPUTED


def test_failed_computation_gives_the_lease_back(cache, key, value):
    with pytest.raises(RuntimeError):
        cache.get(key, failing, TTL)

    assert cache.get(key, lambda: value, TTL).source is Source.COMPUTED


@pytest.mark.parametrize("kind", ["string", "list"])
def test_foreign_lease_is_nobody_s(cache, redis, key, value, kind):
    name = f"{ENTRIES}lease:{key}"
    redis.set(name, "foreign") if kind == "string" else redis.lpush(name, "foreign")

    assert cache.get(key, lambda: value, TTL).source is Source.COMPUTED


@pytest.mark.parametrize("name", ["x" * 10_000, "with space", "\x00\n", "ключ"])
def test_any_key_is_cached_and_purged(cache, key, name):
    name = f"{key}{name}"
    sources = [cache.get(name, lambda: Value(b"x", (name,)), TTL).source for _ in range(3)]
    assert sources == [Source.COMPUTED, Source.REDIS, Source.LOCAL]

    assert cache.purge([name])

    assert cache.get(name, lambda: Value(b"y", (name,)), TTL).source is Source.COMPUTED


def bypassed(port):
    """A cache whose Redis is not there, or says nothing."""
    redis = Redis(port=port, retry=Retry(NoBackoff(), 0), socket_timeout=0.1)
    return LayeredCache(redis, in_transaction=lambda: False)


@pytest.fixture
def gone():
    return bypassed(1)


@pytest.fixture
def silent():
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        yield bypassed(silent.getsockname()[1])


def test_without_redis_pages_are_computed(gone, key, value, caplog):
    sources = {gone.get(key, lambda: value, TTL).source for _ in range(10)}

    assert sources == {Source.BYPASS}
    assert not gone.purge([key])
    said = [each.getMessage() for when in ("setup", "call") for each in caplog.get_records(when)]
    assert 1 <= sum("Connection refused" in each for each in said) <= 5


def test_silent_redis_delays_a_few_requests_and_no_more(silent, key, value):
    began = time.monotonic()

    sources = [silent.get(key, lambda: value, TTL).source for _ in range(1000)]

    assert set(sources) == {Source.BYPASS}
    assert time.monotonic() - began < 50  # none waits for 0.1 s; else 100 s


def test_silent_redis_delays_a_few_purges_and_no_more(silent, key):
    silent.local.clear(up=True)
    silent.local.store(key, Value(b"old", (f"{key}:999",)), 60, silent.local.epoch)
    began = time.monotonic()

    heard = [silent.purge([f"{key}:{number}"]) for number in range(1000)]

    assert not any(heard)
    assert silent.local.get(key) is None  # this process knows
    assert time.monotonic() - began < 50


def connected(redis) -> Connection:
    """A new connection, as the cache makes one."""
    where = redis.connection_pool.connection_kwargs
    told = {name: where[name] for name in ("host", "port", "db", "password")}
    connection = Connection(**told, redis_connect_func=adopt)
    connection.connect()
    return connection


def test_another_server_is_purged_before_it_is_read(redis, key):
    shared = RedisLayer(redis)
    lease = read(shared, key, TTL).lease
    shared.fill(key, lease, Value(b"old", (key,)), TTL)
    redis.set(RUN_ID, "of the server before the restart")

    connected(redis).disconnect()

    assert read(shared, key, TTL).value is None


def time_us(redis) -> int:
    seconds, microseconds = redis.time()
    return seconds * 1_000_000 + microseconds


def test_another_server_that_lacks_leases_hands_none_of_them_out_again(redis, shared, key):
    last = int(read(shared, key, TTL).lease)
    redis.set(CLOCK, last - 1_000)
    redis.set(RUN_ID, "of the server before")

    connected(redis).disconnect()

    assert int(read(shared, f"{key}:2", TTL).lease) > last


def test_another_server_whose_time_is_behind_counts_on(redis, shared, key, wait_until):
    last = time_us(redis) + 200_000
    redis.set(CLOCK, last)
    redis.set(RUN_ID, "of the server before")

    connected(redis).disconnect()

    assert int(read(shared, key, TTL).lease) > last
    wait_until(lambda: time_us(redis) > int(redis.get(CLOCK)))  # for the tests that follow


def test_full_redis_still_hears_purges_and_keeps_what_it_has(cache, redis, key, value):
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


def test_known_server_keeps_its_entries(redis, key, value):
    shared = RedisLayer(redis)
    connected(redis).disconnect()
    shared.fill(key, read(shared, key, TTL).lease, value, TTL)

    connected(redis).disconnect()

    assert read(shared, key, TTL).value == value


def test_answer_of_redis_that_a_purge_overtakes_is_not_kept_here(cache, key, value, monkeypatch):
    cache.get(key, lambda: value, TTL)
    read = cache.shared.read

    def overtaken(*args):
        reading = read(*args)
        cache.local.purge(value.tags)  # as another process' purge does
        return reading

    monkeypatch.setattr(cache.shared, "read", overtaken)

    assert cache.get(key, failing, TTL).source is Source.REDIS
    assert cache.local.get(key) is None
