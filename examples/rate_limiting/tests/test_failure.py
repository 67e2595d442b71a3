"""What a limiter answers while its store is slow, gone, wrong or back again."""

import asyncio
import os
import signal
import threading
import time

import pytest
from limiter.breaker import Breaker
from limiter.connection import RedisStore
from limiter.decision import Mode
from limiter.deny_cache import DenyCache
from limiter.limiter import Limiter
from limiter.local_bucket import Fallback
from limiter.policy import OnFailure, Policy, Rate, RuleSet, Scope
from limiter.store import StoreFailure
from limiter.token_bucket import TokenBucket

HOURLY = Rate(1, 3_600)


class BrokenStore:
    """Fails until it is mended, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0
        self.mended = False

    def run(self, keys, _args):
        self.asked += 1
        if self.mended:
            return [-5] * len(keys)
        raise StoreFailure("broken")

    async def arun(self, keys, args):
        return self.run(keys, args)


class Clock:
    """Stands still until it is advanced."""

    def __init__(self):
        self.seconds = 1_000.0

    def __call__(self):
        return self.seconds

    def nanoseconds(self):
        return round(self.seconds * 1_000_000_000)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(start_server):
    return start_server()


def rules(*on_failure, burst=10):
    return RuleSet(
        "rules",
        tuple(Policy(f"p{i}", burst, HOURLY, on_failure=each) for i, each in enumerate(on_failure)),
    )


def limiter_of(store, *on_failure, secret=b"secret", **more):
    return Limiter(rules(*(on_failure or (OnFailure.LOCAL,))), store, secret=secret, **more)


@pytest.mark.parametrize(
    ("on_failure", "mode", "admitted"),
    [
        ([OnFailure.OPEN], Mode.OPEN, 20),
        ([OnFailure.CLOSED], Mode.CLOSED, 0),
        ([OnFailure.LOCAL], Mode.LOCAL, 5),  # burst 10 for 2 processes
        ([OnFailure.OPEN, OnFailure.LOCAL], Mode.LOCAL, 5),
        ([OnFailure.OPEN, OnFailure.CLOSED], Mode.CLOSED, 0),
        ([OnFailure.LOCAL, OnFailure.CLOSED], Mode.CLOSED, 0),
    ],
)
def test_each_policy_is_honoured_without_the_store(on_failure, mode, admitted):
    limiter = limiter_of(BrokenStore(), *on_failure, processes=2)

    decisions = [limiter.decide("client") for _ in range(20)]

    assert sum(decision.allowed for decision in decisions) == admitted
    assert {decision.mode for decision in decisions} == {mode}
    assert all(decision.degraded for decision in decisions)


def test_a_client_the_store_refused_begins_an_outage_with_nothing(server, clock):
    limiter = limiter_of(RedisStore(server.url), clock=clock)
    while limiter.decide("spent").allowed:
        pass
    server.process.kill()
    clock.seconds += 2  # the refusal is no longer in the deny cache

    spent, other = limiter.decide("spent"), limiter.decide("other")

    assert (spent.mode, spent.allowed) == (Mode.LOCAL, False)
    assert (other.mode, other.allowed) == (Mode.LOCAL, True)


async def test_the_event_loop_falls_back_too():
    limiter = limiter_of(BrokenStore(), OnFailure.LOCAL)

    decisions = [await limiter.adecide("client") for _ in range(20)]

    assert sum(decision.allowed for decision in decisions) == 10


def test_a_refusal_by_one_local_bucket_charges_no_other(clock):
    policies = (Policy("wide", 10, HOURLY), Policy("narrow", 2, HOURLY))
    fallback = Fallback(RuleSet("rules", policies), clock_ns=clock.nanoseconds)

    decisions = [fallback.decide("client") for _ in range(5)]

    assert [decision.allowed for decision in decisions] == [True, True, False, False, False]
    assert [outcome.remaining for outcome in decisions[-1].outcomes] == [8, 0]


def test_a_local_retry_after_is_exact(clock):
    policies = (Policy("a", 10, Rate(3, 1)),)
    fallback = Fallback(RuleSet("rules", policies), processes=2, clock_ns=clock.nanoseconds)
    while fallback.decide("client").allowed:
        pass
    wait_us = fallback.decide("client").retry_after_us

    assert wait_us == 666_667  # 3/s for 2 processes: a token in 2/3 s
    clock.seconds += (wait_us - 1) / 1_000_000
    assert not fallback.decide("client").allowed
    clock.seconds += 1 / 1_000_000
    assert fallback.decide("client").allowed


def test_a_local_share_is_one_at_least_and_a_greater_cost_passes_a_full_bucket(clock):
    policies = (Policy("a", 10, Rate(10, 1), cost=4),)
    fallback = Fallback(RuleSet("rules", policies), processes=100, clock_ns=clock.nanoseconds)

    assert fallback.decide("client").allowed
    assert fallback.decide("client").retry_after_us == 40_000_000  # 4 tokens at 10/s for 100
    clock.seconds += 40
    assert fallback.decide("client").allowed


def test_local_buckets_are_bounded_and_forget_the_least_recent(clock):
    fallback = Fallback(rules(OnFailure.LOCAL, burst=1), size=3, clock_ns=clock.nanoseconds)
    for client in "abcd":
        fallback.decide(client)

    assert not fallback.decide("d").allowed
    assert not fallback.decide("b").allowed
    assert fallback.decide("a").allowed  # forgotten: its bucket counts as full


def test_a_cost_above_the_burst_is_an_error_with_and_without_the_store():
    with pytest.raises(ValueError, match="cost 11"):
        limiter_of(BrokenStore()).decide("client", cost=11)


def test_an_open_breaker_asks_once_per_interval_and_closes_at_the_first_answer(clock):
    store = BrokenStore()
    breaker = Breaker(failures=3, probe_seconds=0.5, clock=clock)
    limiter = limiter_of(store, breaker=breaker, clock=clock)
    for _ in range(100):
        limiter.decide("client")
    assert (store.asked, breaker.open) == (3, True)

    clock.seconds += 0.5
    for _ in range(100):
        limiter.decide("client")
    assert store.asked == 4

    store.mended = True
    clock.seconds += 0.5

    assert limiter.decide("client").mode == Mode.EXACT
    assert limiter.decide("client").mode == Mode.EXACT
    assert not breaker.open


def test_only_one_thread_probes(clock):
    breaker = Breaker(failures=1, clock=clock)
    breaker.failed()
    clock.seconds += 1
    barrier, allowed = threading.Barrier(8), []

    def ask():
        barrier.wait()
        allowed.append(breaker.allows())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(allowed) == 1


def test_a_paused_server_is_answered_for_within_100_ms(server):
    store = RedisStore(server.url)
    limiter = limiter_of(store)
    limiter.decide("client")
    seconds = []
    with server.client() as client:
        client.client_pause(3_000)

    for _ in range(20):
        started = time.monotonic()
        decision = limiter.decide("client")
        seconds.append(time.monotonic() - started)

        assert decision.mode == Mode.LOCAL

    assert max(seconds) < 0.1
    assert sum(second > 0.02 for second in seconds) == 5  # then the breaker is open


async def test_a_paused_server_does_not_hold_the_event_loop_either(server):
    limiter = limiter_of(RedisStore(server.url))
    await limiter.adecide("client")
    with server.client() as client:
        client.client_pause(3_000)

    started = time.monotonic()
    decisions = await asyncio.gather(*(limiter.adecide("client") for _ in range(50)))

    assert time.monotonic() - started < 0.1
    assert {decision.mode for decision in decisions} == {Mode.LOCAL}


def test_a_stopped_server_that_accepts_and_never_answers_is_given_up_within_100_ms(server):
    os.kill(server.process.pid, signal.SIGSTOP)  # the kernel still accepts its connections
    try:
        started = time.monotonic()
        decision = limiter_of(RedisStore(server.url)).decide("client")
        seconds = time.monotonic() - started
    finally:
        os.kill(server.process.pid, signal.SIGCONT)

    assert decision.mode == Mode.LOCAL
    assert seconds < 0.1


def test_a_late_answer_is_never_taken_for_the_next_one(server, secret, wait_until):
    store = RedisStore(server.url)
    bucket = TokenBucket(rules(OnFailure.LOCAL), store, secret=secret)
    bucket.take("somebody else")
    with server.client() as client:
        client.client_pause(150)
    with pytest.raises(StoreFailure):
        bucket.take("somebody else", cost=7)
    wait_until(server.answers)

    assert bucket.take("client").outcomes[0].remaining == 9


def test_a_killed_server_is_survived_and_its_successor_found(server, secret, wait_until):
    limiter = limiter_of(RedisStore(server.url), secret=secret)
    assert limiter.decide("client").mode == Mode.EXACT

    server.kill()
    assert {limiter.decide("client").mode for _ in range(20)} == {Mode.LOCAL}
    server.start()
    returned = time.monotonic()
    wait_until(lambda: limiter.decide("another").mode == Mode.EXACT, 5)

    assert time.monotonic() - returned < 5
    assert limiter.decide("client").mode == Mode.EXACT


def test_a_restart_between_two_requests_is_not_noticed(server, secret):
    limiter = limiter_of(RedisStore(server.url, timeout_seconds=2), secret=secret)
    limiter.decide("client")

    server.kill()
    server.start()

    assert limiter.decide("client").mode == Mode.EXACT


async def test_a_restart_is_not_noticed_by_the_event_loop(server, secret):
    limiter = limiter_of(RedisStore(server.url, timeout_seconds=2), secret=secret)
    await limiter.adecide("client")

    server.kill()
    server.start()

    assert (await limiter.adecide("client")).mode == Mode.EXACT


def test_a_read_only_replica_is_a_failure_and_recovers_when_promoted(
    server, start_server, wait_until
):
    replica = start_server("--replicaof", "127.0.0.1", str(server.port))
    limiter = limiter_of(RedisStore(replica.url, timeout_seconds=2))

    assert limiter.decide("client").mode == Mode.LOCAL

    with replica.client() as client:
        client.replicaof("NO", "ONE")
    wait_until(lambda: limiter.decide("another").mode == Mode.EXACT, 5)


def test_a_full_server_is_a_failure(server):
    limiter = limiter_of(RedisStore(server.url, timeout_seconds=2))
    with server.client() as client:
        client.config_set("maxmemory", 1)

    assert limiter.decide("client").mode == Mode.LOCAL


@pytest.mark.parametrize("entry", ["sync", "async"])
def test_a_wrong_password_is_a_failure_and_the_right_one_is_not(start_server, entry):
    server = start_server()
    with server.client() as client:
        client.config_set("requirepass", "right")
    modes = {}
    for password in ("right", "wrong"):
        url = server.url.replace("//", f"//:{password}@").replace("/0", "/3")
        limiter = limiter_of(RedisStore(url, timeout_seconds=2))
        if entry == "sync":
            modes[password] = limiter.decide("client").mode
        else:
            modes[password] = asyncio.run(limiter.adecide("client")).mode

    assert modes == {"right": Mode.EXACT, "wrong": Mode.LOCAL}


def test_a_unix_socket_is_a_server_too(start_server, tmp_path):
    start_server("--unixsocket", str(tmp_path / "redis"))

    assert limiter_of(RedisStore(f"unix://{tmp_path}/redis")).decide("client").mode == Mode.EXACT


@pytest.mark.parametrize("url", ["", "redis", "http://127.0.0.1:6379", "redis://127.0.0.1:port"])
def test_a_wrong_url_is_refused_at_once(url):
    with pytest.raises(ValueError, match=r"\w"):
        RedisStore(url)


def test_a_forked_child_uses_a_connection_of_its_own(redis_url, secret):
    bucket = TokenBucket(
        rules(OnFailure.LOCAL, burst=100), RedisStore(redis_url, timeout_seconds=2), secret=secret
    )
    bucket.take("parent")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, bytes(bucket.take("child").outcomes[0].remaining for _ in range(50)))
        os._exit(0)
    remaining = [bucket.take("parent").outcomes[0].remaining for _ in range(50)]
    os.waitpid(pid, 0)
    os.close(write)

    assert remaining == list(range(98, 48, -1))
    with os.fdopen(read, "rb") as pipe:
        assert list(pipe.read()) == list(range(99, 49, -1))


def test_a_hot_refused_client_is_answered_from_memory_until_it_may_pass(store, secret):
    limiter = Limiter(RuleSet("r", (Policy("a", 1, Rate(5, 1)),)), store, secret=secret)
    limiter.decide("client")
    refused = limiter.decide("client")
    until = time.monotonic() + refused.retry_after_us / 1_000_000
    modes, waits = set(), []
    while time.monotonic() < until - 0.05:
        decision = limiter.decide("client")
        modes.add(decision.mode)
        waits.append(decision.retry_after_us)

    assert modes == {Mode.CACHED}
    assert waits == sorted(waits, reverse=True)
    time.sleep(waits[-1] / 1_000_000)
    assert limiter.decide("client").allowed


def test_a_cached_refusal_is_never_longer_than_the_truth_and_never_promises_too_early(
    store, secret
):
    bucket = TokenBucket(RuleSet("r", (Policy("a", 1, Rate(5, 1)),)), store, secret=secret)
    bucket.take("client")
    refused = bucket.take("client")
    assert refused.retry_after_us < 200_000
    cache = DenyCache()
    cache.put(("client", None), refused, sent=100.0, received=100.03)
    wait = refused.retry_after_us / 1_000_000

    assert cache.get(("client", None), 100.0 + wait) is None  # decided at 100.0 at the earliest
    answer = cache.get(("client", None), 100.0 + wait - 0.001)
    assert answer.retry_after_us >= 30_000  # decided at 100.03 at the latest


def test_a_cached_refusal_is_for_its_client_and_cost_only(store, secret):
    limiter = Limiter(RuleSet("r", (Policy("a", 5, HOURLY),)), store, secret=secret)
    limiter.decide("client", cost=3)

    assert not limiter.decide("client", cost=3).allowed
    assert limiter.decide("client", cost=3).mode == Mode.CACHED
    assert limiter.decide("client", cost=2).allowed
    assert limiter.decide("another", cost=3).allowed


def test_cached_refusals_are_bounded_and_live_a_second_at_most(store, secret):
    bucket = TokenBucket(RuleSet("r", (Policy("a", 1, HOURLY),)), store, secret=secret)
    bucket.take("client")
    refused = bucket.take("client")
    cache = DenyCache(size=3)
    for client in "abcd":
        cache.put((client, None), refused, sent=100.0, received=100.0)

    assert cache.get(("a", None), 100.5) is None
    assert cache.get(("d", None), 100.5) is not None
    assert cache.get(("d", None), 101.0) is None


def test_nothing_but_an_exact_refusal_is_cached(store, secret):
    policies = (Policy("a", 1, HOURLY), Policy("b", 1, HOURLY, shadow=True))
    limiter = Limiter(RuleSet("r", policies), store, secret=secret)
    limiter.decide("client")

    assert {limiter.decide("client").mode for _ in range(3)} == {Mode.EXACT}  # the shadow counts


def test_a_reset_is_seen_at_once_and_spares_what_others_share(store, secret):
    policies = tuple(Policy(scope.value, 3, HOURLY, scope=scope) for scope in Scope)
    limiter = Limiter(RuleSet("r", policies), store, secret=secret)
    for _ in range(2):
        limiter.decide("client")

    assert limiter.reset("client") == 1
    assert [outcome.remaining for outcome in limiter.peek("client").outcomes] == [3, 1, 1]
    assert limiter.decide("client").allowed


def test_every_decision_is_observed(store, secret):
    seen = []
    limiter = limiter_of(store, secret=secret, observe=lambda *what: seen.append(what))

    decision = limiter.decide("client")

    assert seen[0][0] is decision
    assert 0 < seen[0][1] < 5


def test_a_thread_takes_its_connection_with_it(server, wait_until):
    store = RedisStore(server.url, timeout_seconds=2)
    bucket = TokenBucket(rules(OnFailure.LOCAL), store, secret=b"secret")
    bucket.take("client")

    for _ in range(10):
        thread = threading.Thread(target=bucket.take, args=("client",))
        thread.start()
        thread.join()

    with server.client() as client:
        wait_until(lambda: len(client.client_list()) == 2)  # this thread's, and the one that asks
