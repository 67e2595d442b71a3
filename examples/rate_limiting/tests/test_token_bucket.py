"""The bucket on a real server: bugs that other limiters had, and what no model can show."""

import math
import multiprocessing
import threading
import time
import uuid
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limiter.policy import Policy, Rate, RuleSet
from limiter.token_bucket import TokenBucket, suffix

NOW_US = 60_000_000_000_000  # microseconds since 2025
PATIENCE_SECONDS = 60
SLOW_IS_FINE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture
def make(store, secret):
    return lambda *policies: TokenBucket(RuleSet("rules", policies), store, secret=secret)


def admitted_in_any_window(times_us, window_us):
    return max(sum(start <= t <= start + window_us for t in times_us) for start in times_us)


@pytest.mark.parametrize(
    "rate", [Rate(1), Rate(1_000_000), Rate(6_000), Rate(3, 2), Rate(1, 86_400)]
)
@pytest.mark.parametrize("burst", [1, 100])
def test_first_requests_are_never_refused(make, rate, burst):
    bucket = make(Policy("a", burst, rate))

    assert all(bucket.take("client", now_us=NOW_US).allowed for _ in range(burst))
    assert not bucket.take("client", now_us=NOW_US).allowed


@pytest.mark.parametrize("rate", [Rate(1_000_000), Rate(6_000), Rate(3, 2), Rate(100, 60)])
def test_refused_one_microsecond_before_retry_after_and_allowed_at_it(make, rate):
    bucket = make(Policy("a", 5, rate))
    for _ in range(5):
        bucket.take("client", now_us=NOW_US)
    wait_us = bucket.take("client", now_us=NOW_US).retry_after_us

    assert not bucket.take("client", now_us=NOW_US + wait_us - 1).allowed
    assert bucket.take("client", now_us=NOW_US + wait_us).allowed


def test_fractions_of_a_token_are_kept(make):
    bucket = make(Policy("a", 3, Rate(3, 2)))
    bucket.take("client", cost=3, now_us=NOW_US)

    steps_us = range(50_000, 20_000_001, 50_000)
    passed = sum(bucket.take("client", now_us=NOW_US + us).allowed for us in steps_us)

    assert passed == 30  # 1.5/s for 20 s


def test_a_key_of_a_very_high_rate_lives_until_it_is_full(make, redis):
    bucket = make(Policy("a", 100_000_000, Rate(1_000_000)))

    decision = bucket.take("client", cost=60_000_000)

    assert decision.outcomes[0].full_after_us == 60_000_000
    assert 0 < redis.pttl(*bucket.keys("client")) <= 60_001


def test_the_time_to_live_is_the_time_to_full_rounded_up(make, redis):
    bucket = make(Policy("a", 100, Rate(1, 1)))

    began = time.monotonic()
    bucket.take("client", cost=60)
    left = redis.pttl(*bucket.keys("client"))
    passed = (time.monotonic() - began) * 1_000

    assert 60_000 - passed <= left <= 60_001


@pytest.mark.parametrize("skew_seconds", [-60, 60])
def test_clocks_of_clients_change_nothing(make, monkeypatch, skew_seconds):
    bucket = make(Policy("a", 100, Rate(1, 3_600)))
    for _ in range(100):
        bucket.take("client")
    clock, monotonic = time.time, time.monotonic
    monkeypatch.setattr(time, "time", lambda: clock() + skew_seconds)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + skew_seconds)

    assert not bucket.take("client").allowed


def test_a_clock_set_back_costs_one_refill_at_most(make):
    bucket = make(Policy("a", 10, Rate(10, 10)))
    bucket.take("client", cost=10, now_us=NOW_US)

    refused = bucket.take("client", now_us=NOW_US - 3_600_000_000)

    assert refused.retry_after_us == 1_000_000
    assert bucket.take("client", now_us=NOW_US - 3_599_000_000).allowed


def test_a_refused_request_changes_no_bucket(make, redis):
    bucket = make(Policy("wide", 100, Rate(1)), Policy("narrow", 1, Rate(1, 3_600)))
    bucket.take("client")
    before = [redis.dump(key) for key in bucket.keys("client")]

    refused = bucket.take("client")

    assert not refused.allowed
    assert [outcome.allowed for outcome in refused.outcomes] == [True, False]
    assert [redis.dump(key) for key in bucket.keys("client")] == before


def test_reading_changes_no_bucket(make, redis):
    bucket = make(Policy("a", 5, Rate(1, 3_600)))

    assert bucket.take("client", cost=0).outcomes[0].remaining == 5
    assert not redis.exists(*bucket.keys("client"))


@pytest.mark.report(
    "alisaifee/limits#151",
    "a cost above the limit passes",
    "an error of the caller, as no waiting would help",
)
@pytest.mark.parametrize("cost", [-1, 6])
def test_a_cost_that_no_bucket_holds_is_an_error_of_the_caller(make, cost):
    with pytest.raises(ValueError, match=f"rules: cost {cost} is not from 0 to 5"):
        make(Policy("a", 5, Rate(1))).take("client", cost=cost)


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW_IS_FINE)
@given(
    gaps_us=st.lists(st.integers(0, 2_000_000), min_size=20, max_size=60),
    burst=st.integers(1, 19),
)
def test_strict_policy_never_admits_more_than_its_limit_in_any_window(make, gaps_us, burst):
    bucket = make(Policy.strict("a", limit=20, window_seconds=4, burst=burst))
    client, now_us, admitted = uuid.uuid4().hex, NOW_US, []
    for gap_us in gaps_us:
        now_us += gap_us % 150_000  # dense, so that the limit is met
        if bucket.take(client, now_us=now_us).allowed:
            admitted.append(now_us)

    assert admitted_in_any_window(admitted, 4_000_000) <= 20


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW_IS_FINE)
@given(
    gaps_us=st.lists(st.integers(0, 300_000), min_size=20, max_size=60),
    window_us=st.integers(0, 5_000_000),
)
def test_a_window_admits_the_burst_and_the_refill_at_most(make, gaps_us, window_us):
    bucket = make(Policy("a", 5, Rate(7, 3)))
    client, now_us, admitted = uuid.uuid4().hex, NOW_US, []
    for gap_us in gaps_us:
        now_us += gap_us
        if bucket.take(client, now_us=now_us).allowed:
            admitted.append(now_us)

    assert admitted_in_any_window(admitted, window_us) <= 5 + math.floor(7 * window_us / 3_000_000)


def test_a_forgotten_script_is_loaded_again(make, redis):
    bucket = make(Policy("a", 5, Rate(1, 3_600)))
    bucket.take("client")

    redis.script_flush()

    assert bucket.take("client").outcomes[0].remaining == 3


@pytest.mark.parametrize(
    "value", ["garbage", "nan0000", "inf0000", "0x1f0000", "123", "", "9" * 40]
)
def test_a_value_of_somebody_else_is_replaced(make, redis, value):
    bucket = make(Policy("a", 5, Rate(1, 60)))
    redis.set(*bucket.keys("client"), value)

    first = bucket.take("client", now_us=NOW_US)
    second = bucket.take("client", now_us=NOW_US + first.retry_after_us)

    assert second.allowed
    assert redis.pttl(*bucket.keys("client")) > 0


def test_a_key_of_another_type_is_replaced(make, redis):
    bucket = make(Policy("a", 5, Rate(1, 3_600)))
    redis.lpush(*bucket.keys("client"), "somebody", "else")

    assert bucket.take("client").outcomes[0].remaining == 4
    assert bucket.take("client").outcomes[0].remaining == 3


def test_keys_tell_nothing_about_the_client(make):
    bucket = make(Policy("a", 5, Rate(1)))
    other = TokenBucket(bucket.rules, bucket.store, secret=b"another")

    assert "198.51.100.7" not in bucket.keys("198.51.100.7")[0]
    assert bucket.keys("198.51.100.7") != other.keys("198.51.100.7")


def test_a_decision_is_one_round_trip_with_one_command_each_way(start_server, patient, secret):
    server = start_server()
    bucket = TokenBucket(
        RuleSet("rules", tuple(Policy(name, 5, Rate(1, 3_600)) for name in "abc")),
        patient(server.url),
        secret=secret,
    )
    bucket.take("client")
    with server.client() as watcher:
        watcher.config_resetstat()
        bucket.take("client")
        stats = watcher.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): row["calls"] for name, row in stats.items()}

    assert {name: calls.get(name) for name in ("evalsha", "time", "mget", "set")} == {
        "evalsha": 1,
        "time": 1,
        "mget": 1,
        "set": 3,
    }


def test_eight_processes_admit_exactly_the_burst(patient, redis_url, secret):
    forked = multiprocessing.get_context("fork")  # they need not be imported for again
    barrier, admitted = forked.Barrier(8), forked.Array("i", 8)

    def hammer(number):
        rules = RuleSet("rules", (Policy("a", 100, Rate(1, 3_600)),))
        bucket = TokenBucket(rules, patient(redis_url), secret=secret)
        bucket.take("somebody")  # connects
        barrier.wait(PATIENCE_SECONDS)
        admitted[number] = sum(bucket.take("client").allowed for _ in range(250))

    processes = [forked.Process(target=hammer, args=(number,)) for number in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 8
    assert sum(admitted) == 100


def test_threads_share_one_counter(make):
    bucket = make(Policy("a", 100, Rate(1, 3_600)))
    barrier, passed = threading.Barrier(9), []

    def hammer():
        barrier.wait()
        passed.extend(bucket.take("client").allowed for _ in range(25))

    threads = [threading.Thread(target=hammer) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (sum(passed), len(passed)) == (100, 225)


@pytest.mark.parametrize("burst", [100, 5_000])
def test_a_client_costs_the_same_at_any_burst(make, redis, burst):
    bucket = make(Policy("a", burst, Rate(burst, 3_600)))
    clients = [f"198.51.100.{number}" for number in range(25)]
    for address in clients * 10:
        bucket.take(address)

    used = [redis.memory_usage(*bucket.keys(address)) for address in clients]

    assert median(used) <= 80  # 56, and what another allocator rounds it up to


def test_two_policies_with_one_key_are_refused_and_no_policy_is(make):
    same = next(f"p{n}" for n in range(100_000) if n and suffix(f"p{n}") == suffix("p0"))

    for names in (("p0", same), ("p0", "p0"), ()):
        with pytest.raises(ValueError, match="needs policies, each with a key of its own"):
            make(*(Policy(name, 5, Rate(1)) for name in names))


def test_a_name_and_a_client_never_read_like_another_pair(store, secret):
    policies = (Policy("a", 5, Rate(1)),)
    pairs = [("api", "v1/x"), ("api/v1", "x"), ("", "api/v1/x"), ("api/v1/x", ""), ("api", "/v1/x")]
    keys = [
        TokenBucket(RuleSet(name, policies), store, secret=secret).keys(client)[0]
        for name, client in pairs
    ]

    assert len(set(keys)) == len(pairs)


def test_keys_begin_with_what_an_acl_may_name(make):
    (key,) = make(Policy("a", 5, Rate(1))).keys("198.51.100.7")

    assert key.startswith("rl{")
    assert len(key) == 14
