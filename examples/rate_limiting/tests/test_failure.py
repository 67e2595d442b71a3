"""What a limiter answers while its store is slow, gone, wrong or back again."""

import gc
import os
import signal
import socket
import threading
import time
import warnings
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from limiter.breaker import Breaker
from limiter.limiter import Limiter
from limiter.memory import LocalStore
from limiter.policy import OnFailure, Policy, Rate, RuleSet
from limiter.store import RedisStore, StoreFailure
from limiter.store import client as connect
from limiter.token_bucket import TokenBucket
from redis import Redis
from redis.exceptions import RedisError
from redis.sentinel import SentinelConnectionPool

HOURLY = Rate(1, 3_600)
NOW_US = 60_000_000_000_000  # microseconds since 2025


class BrokenStore(RedisStore):
    """Fails until it is mended, and counts how often it was asked."""

    def __init__(self, **more):
        super().__init__(None, **more)
        self.asked = 0
        self.mended = False

    def _ask(self, *_command):
        self.asked += 1
        if self.mended:
            return [-5]
        raise RedisError("broken")


class AskedStore(RedisStore):
    """Counts how often Redis was asked."""

    asked = 0

    def _ask(self, *command):
        self.asked += 1
        return super()._ask(*command)


class Clock:
    """Stands still until it is advanced."""

    def __init__(self):
        self.seconds = 1_000.0

    def __call__(self):
        return self.seconds

    def us(self):
        return NOW_US + round(self.seconds * 1_000_000)

    def nanoseconds(self):
        return round(self.seconds * 1_000_000_000)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True, scope="module")
def _what_is_there_already():
    """It is left out of the search below, which takes a tenth of a second otherwise."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _nothing_is_left():
    """redis-py keeps who could not connect in a circle, and with it the store and what it opened since."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def server(start_server):
    return start_server()


def led_by_sentinel(servers):
    """Return a store whose Sentinel names the first of these servers as the primary, whenever asked."""
    sentinel = SimpleNamespace(discover_master=lambda _name: ("127.0.0.1", servers[0].port))
    waits = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), 20)
    pool = SentinelConnectionPool("name", sentinel, **waits)
    return RedisStore(Redis(connection_pool=pool), timeout_seconds=20)


def rules(on_failure=OnFailure.LOCAL, burst=10):
    return RuleSet("rules", (Policy("p", burst, HOURLY),), on_failure)


def limiter_of(store, on_failure=OnFailure.LOCAL, secret=b"secret", **more):
    return Limiter(rules(on_failure), store, secret=secret, **more)


@pytest.fixture
def local(clock):
    """Return the buckets of one process for policies, by a clock that stands still."""

    def make(*policies, **more):
        store = LocalStore(policies, clock_ns=clock.nanoseconds, **more)
        return TokenBucket(RuleSet("rules", policies), store, secret=b"secret")

    return make


@pytest.mark.parametrize(
    ("on_failure", "admitted"),
    [(OnFailure.OPEN, 20), (OnFailure.CLOSED, 0), (OnFailure.LOCAL, 5)],  # 10 of 2 processes
)
def test_each_rule_set_is_honoured_without_the_store(on_failure, admitted):
    limiter = limiter_of(BrokenStore(), on_failure, processes=2)

    decisions = [limiter.decide("client") for _ in range(20)]

    assert sum(decision.allowed for decision in decisions) == admitted
    assert {decision.degraded for decision in decisions} == {on_failure}
    assert all(decision.allowed or decision.retry_after_us for decision in decisions)


def test_a_client_the_store_refused_begins_an_outage_with_nothing(server, patient, clock):
    hourly = (Policy("spent", 4, HOURLY), Policy("left", 100, HOURLY))
    limiter = Limiter(RuleSet("r", hourly), patient(server.url), secret=b"s", processes=2)
    limiter.refusals.local.clock_ns = clock.nanoseconds
    while limiter.decide("spent").allowed:
        pass
    server.kill()
    clock.seconds += 2  # the refusal is no longer in the deny cache

    spent, other = limiter.decide("spent"), limiter.decide("other")

    assert (spent.degraded, other.degraded) == (OnFailure.LOCAL, OnFailure.LOCAL)
    assert [outcome.allowed for outcome in spent.outcomes] == [False, True]
    assert other.allowed


def test_a_drained_local_bucket_refills_at_the_rate_of_its_share(clock):
    policy = Policy("a", 10, Rate(3, 1))
    store = LocalStore((policy,), processes=2, clock_ns=clock.nanoseconds)
    bucket = TokenBucket(RuleSet("rules", (policy,)), store, secret=b"secret")
    store.drain(bucket.keys("client"), [1])

    refused = bucket.take("client")

    assert (refused.allowed, refused.retry_after_us) == (False, 666_667)
    clock.seconds += refused.retry_after_us / 1_000_000
    assert bucket.take("client").allowed


def test_a_refusal_by_one_local_bucket_charges_no_other(local):
    bucket = local(Policy("wide", 10, HOURLY), Policy("narrow", 2, HOURLY))

    decisions = [bucket.take("client") for _ in range(5)]

    assert [decision.allowed for decision in decisions] == [True, True, False, False, False]
    assert [outcome.remaining for outcome in decisions[-1].outcomes] == [8, 0]


def test_a_local_retry_after_is_exact(local, clock):
    bucket = local(Policy("a", 10, Rate(3, 1)), processes=2)
    while bucket.take("client").allowed:
        pass
    refused = bucket.take("client")

    assert refused.retry_after_us == 666_667  # 3/s for 2 processes: a token in 2/3 s
    assert refused.outcomes[0].remaining == 0
    clock.seconds += (refused.retry_after_us - 1) / 1_000_000
    assert not bucket.take("client").allowed
    clock.seconds += 1 / 1_000_000
    assert bucket.take("client").allowed


def test_local_buckets_are_bounded_and_forget_the_least_recent(local):
    bucket = local(Policy("a", 2, HOURLY), size=3)
    for client in "abcad":
        bucket.take(client)

    assert not bucket.take("a").allowed
    assert bucket.take("b").outcomes[0].remaining == 1  # forgotten: its bucket counted as full


def test_an_open_breaker_asks_once_per_interval_and_closes_at_the_first_answer(clock):
    store = BrokenStore(breaker=Breaker(failures=3, probe_seconds=0.5, clock=clock))
    limiter = limiter_of(store)
    for _ in range(100):
        limiter.decide("client")
    assert store.asked == 3

    clock.seconds += 0.5
    for _ in range(100):
        limiter.decide("client")
    assert store.asked == 4

    store.mended = True
    clock.seconds += 0.5

    # At the same moment: an open breaker would allow one question.
    assert limiter.decide("client").degraded is None
    assert limiter.decide("client").degraded is None


def test_only_one_thread_probes(clock):
    breaker = Breaker(failures=1, clock=clock)
    breaker.failed("gone")
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


@pytest.mark.report(
    "redis/redis-rb#436",
    "no time-out covers the lookup of the server's name, and worker after worker hangs in it",
    "one thread tries again; another one takes its turn only when it has not come back for 10 s",
)
def test_a_probe_that_hangs_keeps_one_thread_and_not_all(clock):
    breaker = Breaker(failures=1, probe_seconds=0.5, clock=clock)
    breaker.failed("gone")
    begun = []
    for _ in range(100):  # nobody who begins ever reports back
        clock.seconds += 0.25
        begun.append(breaker.allows())

    assert [number for number, began in enumerate(begun) if began] == [1, 41, 81]


def test_a_paused_server_is_answered_for_within_its_timeout(server):
    store = AskedStore(connect(server.url), breaker=Breaker(clock=Clock()))
    limiter = limiter_of(store)
    with server.client() as client:
        client.client_pause(600_000)
    began = time.monotonic()

    decisions = [limiter.decide("client") for _ in range(20)]

    assert {decision.degraded for decision in decisions} == {OnFailure.LOCAL}
    assert store.asked == 3  # then the breaker is open
    assert (
        time.monotonic() - began < 60
    )  # 0.3 s, and what a busy machine takes; the pause is 10 min


def test_a_stopped_server_that_accepts_and_never_answers_is_given_up(server):
    os.kill(server.process.pid, signal.SIGSTOP)  # the kernel still accepts its connections
    try:
        started = time.monotonic()
        decision = limiter_of(RedisStore(connect(server.url))).decide("client")
        seconds = time.monotonic() - started
    finally:
        os.kill(server.process.pid, signal.SIGCONT)

    assert decision.degraded == OnFailure.LOCAL
    assert seconds < 20  # 0.1 s, and what a busy machine takes; it would wait for ever


def test_a_host_that_takes_no_connection_is_given_up():
    """Past its queue of connections the kernel drops each that is tried, as a network does that is cut."""
    with ExitStack() as opened, socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        client = connect(f"redis://127.0.0.1:{address[1]}", connect_seconds=0.1)
        limiter = limiter_of(RedisStore(client, breaker=Breaker(failures=10)))
        started = time.monotonic()

        decisions = [limiter.decide("client") for _ in range(10)]
        seconds = time.monotonic() - started

    assert {decision.degraded for decision in decisions} == {OnFailure.LOCAL}
    assert seconds < 30  # 1 s, and what a busy machine takes; redis-py's own waits are 50 s


def test_a_local_share_is_one_at_least(local, clock):
    bucket = local(Policy("a", 10, Rate(1)), processes=100)

    assert [bucket.take("client").allowed for _ in range(2)] == [True, False]
    clock.seconds += 99.9
    assert not bucket.take("client").allowed
    clock.seconds += 0.1
    assert bucket.take("client").allowed


def test_the_log_says_once_why_redis_is_gone_and_once_that_it_is_back(caplog):
    store = BrokenStore(breaker=Breaker(failures=100))
    limiter = limiter_of(store)

    for _ in range(3):
        limiter.decide("client")
    store.mended = True
    for _ in range(3):
        limiter.decide("client")

    assert [each.getMessage() for each in caplog.records] == [
        "Redis does not decide, policies do without: RedisError: broken",
        "Redis decides again.",
    ]


def test_a_late_answer_is_never_taken_for_the_next_one(
    server, patient, secret, wait_until, monkeypatch
):
    store = patient(server.url)
    bucket = TokenBucket(rules(), store, secret=secret)
    bucket.take("somebody else")
    with server.client() as client:
        client.client_pause(600_000, all=False)  # writes wait, as those of scripts
        monkeypatch.setattr(store, "timeout_seconds", 0.1)
        with pytest.raises(StoreFailure):
            bucket.take("somebody else", cost=7)
        monkeypatch.undo()
        client.client_unpause()
    wait_until(server.answers)

    assert bucket.take("client").outcomes[0].remaining == 9


class Interrupted(Exception):
    """What a signal raises wherever the program is."""


def test_an_answer_that_a_signal_left_unread_is_never_taken_for_the_next_one(server, wait_until):
    bucket = TokenBucket(rules(), led_by_sentinel([server]), secret=b"secret")
    bucket.take("somebody else")

    def interrupt(*_):
        raise Interrupted

    def waits(client):
        return client["cmd"] == "evalsha" and "b" in client["flags"]

    def interrupt_who_waits():
        with server.client() as watcher:
            wait_until(lambda: any(map(waits, watcher.client_list())))
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    thread = threading.Thread(target=interrupt_who_waits)
    with server.client() as client:
        client.client_pause(600_000, all=False)  # writes wait, as those of scripts
        thread.start()
        try:
            with pytest.raises(Interrupted):
                bucket.take("somebody else", cost=7)
        finally:
            thread.join()
            signal.signal(signal.SIGUSR1, before)
        client.client_unpause()
    wait_until(server.answers)

    assert bucket.take("client").outcomes[0].remaining == 9


def test_a_script_that_is_missing_costs_no_connection(server, patient):
    bucket = TokenBucket(rules(), patient(server.url), secret=b"secret")
    bucket.take("client", cost=0)
    with server.client() as client:
        client.script_flush()
        before = client.info("stats")["total_connections_received"]

        assert bucket.take("client").allowed
        assert client.info("stats")["total_connections_received"] == before


def test_a_killed_server_is_survived_and_its_successor_found(server, patient, secret, wait_until):
    store = patient(server.url, breaker=Breaker(probe_seconds=0.01))
    limiter = limiter_of(store, secret=secret)
    assert limiter.decide("client").degraded is None

    server.kill()
    assert {limiter.decide("client").degraded for _ in range(20)} == {OnFailure.LOCAL}
    server.start()
    wait_until(lambda: limiter.decide("another").degraded is None)

    assert limiter.decide("client").degraded is None


def test_a_restart_between_two_requests_is_not_noticed(server, patient, secret):
    limiter = limiter_of(patient(server.url), secret=secret)
    limiter.decide("client")

    server.kill()
    server.start()

    assert limiter.decide("client").degraded is None


def test_a_read_only_replica_is_a_failure_and_recovers_when_promoted(
    server, start_server, patient, wait_until
):
    replica = start_server("--replicaof", "127.0.0.1", str(server.port))
    limiter = limiter_of(patient(replica.url))

    assert limiter.decide("client").degraded == OnFailure.LOCAL

    with replica.client() as client:
        client.replicaof("NO", "ONE")
    wait_until(lambda: limiter.decide("another").degraded is None)


@pytest.mark.report(
    "envoyproxy/ratelimit#1191",
    "a demoted primary keeps its connections, and every decision on them fails for ever",
    "a connection that is told READONLY is closed: the next decision finds the new primary",
)
def test_a_demoted_primary_is_left_for_the_one_behind_the_same_address(
    start_server, patient, tmp_path
):
    address = tmp_path / "primary"
    old, new = (start_server("--unixsocket", str(tmp_path / name)) for name in ("old", "new"))
    address.symlink_to(tmp_path / "old")
    limiter = limiter_of(patient(f"unix://{address}"))
    assert limiter.decide("client").degraded is None

    address.unlink()
    address.symlink_to(tmp_path / "new")
    with old.client() as client:
        client.replicaof("127.0.0.1", new.port)

    modes = [limiter.decide("client").degraded for _ in range(2)]
    assert modes == [OnFailure.LOCAL, None]


def test_the_primary_is_the_one_that_sentinel_names(server, start_server):
    servers = [server, start_server()]
    limiter = limiter_of(led_by_sentinel(servers))
    assert limiter.decide("client").degraded is None

    servers.reverse()
    with server.client() as demoted:
        demoted.replicaof("127.0.0.1", servers[0].port)

    assert limiter.decide("client").degraded is None
    with servers[0].client() as primary:
        assert primary.dbsize() == 1


def test_a_full_server_is_a_failure(server, patient):
    limiter = limiter_of(patient(server.url))
    with server.client() as client:
        client.config_set("maxmemory", 1)

    assert limiter.decide("client").degraded == OnFailure.LOCAL


def test_a_wrong_password_is_a_failure_and_the_right_one_is_not(start_server, patient):
    server = start_server()
    with server.client() as client:
        client.config_set("requirepass", "right")
    modes = {}
    for password in ("right", "wrong"):
        url = server.url.replace("//", f"//:{password}@").replace("/0", "/3")
        limiter = limiter_of(patient(url))
        modes[password] = limiter.decide("client").degraded

    assert modes == {"right": None, "wrong": OnFailure.LOCAL}


def test_a_unix_socket_is_a_server_too(start_server, patient, tmp_path):
    start_server("--unixsocket", str(tmp_path / "redis"))

    assert limiter_of(patient(f"unix://{tmp_path}/redis")).decide("client").degraded is None


@pytest.mark.parametrize("url", ["", "redis", "http://127.0.0.1:6379", "redis://127.0.0.1:port"])
def test_a_wrong_url_is_refused_at_once(url):
    with pytest.raises(ValueError, match=r"\w"):
        connect(url)


def test_a_forked_child_uses_a_connection_of_its_own(redis_url, patient, secret):
    bucket = TokenBucket(
        rules(burst=100),
        patient(redis_url),
        secret=secret,
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


@pytest.fixture
def remembering(store, secret, clock, monkeypatch):
    """Return a limiter, for policies, whose Redis and process go by a clock that stands still."""

    def make(*policies):
        limiter = Limiter(RuleSet("r", policies), store, secret=secret)
        limiter.refusals.local.clock_ns = clock.nanoseconds
        take = limiter._bucket.take
        monkeypatch.setattr(limiter._bucket, "take", lambda name: take(name, now_us=clock.us()))
        return limiter

    return make


@pytest.fixture
def store(redis_url):
    return AskedStore(connect(redis_url, connect_seconds=20), timeout_seconds=20)


def test_a_hot_refused_client_is_answered_from_memory_until_it_may_pass(remembering, store, clock):
    limiter = remembering(Policy("a", 1, Rate(5, 1)), Policy("other", 3, Rate(5, 1)))
    assert limiter.decide("client").allowed
    refused = limiter.decide("client")
    assert (store.asked, refused.retry_after_us) == (2, 200_000)
    end = clock.seconds + refused.retry_after_us / 1_000_000
    told = []
    while clock.seconds < end - 0.001:
        told.append(limiter.decide("client"))
        clock.seconds += 0.001

    assert store.asked == 2
    waits = [decision.retry_after_us for decision in told]
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] < 2_000
    assert {decision.allowed for decision in told} == {False}
    assert {decision.outcomes[1].remaining for decision in told} == {2}
    clock.seconds = end
    decision = limiter.decide("client")
    assert (decision.allowed, store.asked) == (True, 3)


def test_a_bucket_that_allows_is_full_at_most_in_a_refusal_from_memory(remembering, store, clock):
    policies = (
        Policy("slow", 1, HOURLY),
        Policy("quick", 3, Rate(5, 1)),
        Policy("both", 1, Rate(99)),
    )
    limiter = remembering(*policies)
    limiter.decide("client")
    limiter.decide("client")
    clock.seconds += 0.9

    slow, *others = limiter.decide("client").outcomes

    assert store.asked == 2
    assert not slow.allowed
    for outcome in others:
        assert outcome.allowed
        assert outcome.remaining <= outcome.policy.burst
        assert outcome.full_after_us >= 0


def test_a_cached_refusal_is_never_longer_than_the_truth_and_never_promises_too_early(
    remembering, store, clock, monkeypatch
):
    limiter, run = remembering(Policy("a", 1, Rate(5, 1))), store.run

    def late(*asked):
        reply = run(*asked)
        clock.seconds += 0.03
        return reply

    limiter.decide("client")
    monkeypatch.setattr(store, "run", late)
    clock.seconds += 0.05
    sent = clock.seconds
    assert limiter.decide("client").retry_after_us == 150_000

    clock.seconds = sent + 0.149
    answer = limiter.decide("client")
    assert store.asked == 2
    assert answer.retry_after_us >= 30_000  # decided as late as the answer came
    clock.seconds = sent + 0.15  # decided as early as it was asked for
    limiter.decide("client")
    assert store.asked == 3


def test_cached_refusals_are_bounded_and_live_a_second_at_most(remembering, store, clock):
    limiter = remembering(Policy("a", 1, HOURLY))
    limiter.refusals.size = 3
    for client in "abcd":
        limiter.decide(client)
        limiter.decide(client)
    assert store.asked == 8

    limiter.decide("d")
    assert store.asked == 8
    limiter.decide("a")
    assert store.asked == 9
    clock.seconds += 1.0
    limiter.decide("d")
    assert store.asked == 10


def test_a_thread_leaves_its_connection_to_the_next(server, patient):
    """Under ASGI each request has a thread of its own."""
    bucket = TokenBucket(rules(burst=100), patient(server.url), secret=b"secret")
    bucket.take("client")
    with server.client() as client:
        before = client.info("stats")["total_connections_received"]

        for _ in range(10):
            thread = threading.Thread(target=bucket.take, args=("client",))
            thread.start()
            thread.join()

        assert client.info("stats")["total_connections_received"] == before
        assert bucket.take("client").outcomes[0].remaining == 100 - 12


def test_threads_that_ask_at_once_have_a_connection_each(server, patient, wait_until):
    bucket = TokenBucket(rules(burst=100), patient(server.url), secret=b"secret")
    threads = [threading.Thread(target=bucket.take, args=("client",)) for _ in range(8)]
    with server.client() as client:
        client.client_pause(600_000, all=False)
        for thread in threads:
            thread.start()
        wait_until(lambda: sum("b" in each["flags"] for each in client.client_list()) == 8)
        client.client_unpause()
        for thread in threads:
            thread.join()

        assert bucket.take("client").outcomes[0].remaining == 100 - 9
        assert len(client.client_list()) == 8 + 1  # and the one that asks
        del bucket
        wait_until(lambda: len(client.client_list()) == 1)
