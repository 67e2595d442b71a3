"""The script against a bucket of fractions, under a clock that does what it likes."""

import math
import os
import uuid
from fractions import Fraction

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from limiter.policy import Policy, Rate, RuleSet
from limiter.store import RedisStore, client
from limiter.token_bucket import TokenBucket
from redis import Redis

DAY_US = 86_400_000_000
START_US = 60_000_000_000_000  # some day of 2026, in microseconds since 2025


def per_us(policy):
    return Fraction(policy.rate.count, policy.rate.seconds * 1_000_000)


class ModelBucket:
    """A leaky counter in exact fractions of a token: what has been spent and not yet refilled."""

    def __init__(self):
        self.full_at = None

    def spent(self, policy, now):
        rate = per_us(policy)
        if self.full_at is None:
            return Fraction(0), False
        # A value's last four digits are p-ths of a microsecond of the policy that wrote it.
        whole, ticks = self.full_at
        spent = max(
            Fraction(0),
            (whole - now + Fraction(min(ticks, policy.ticks_per_us - 1), policy.ticks_per_us))
            * rate,
        )
        return min(spent, Fraction(policy.burst)), spent > policy.burst

    def write(self, policy, now, spent):
        full_at = now + spent / per_us(policy)
        whole = math.floor(full_at)
        ticks = (full_at - whole) * policy.ticks_per_us
        assert ticks.denominator == 1, "the script's four digits would round"
        self.full_at = whole, int(ticks)


def decide(policies, buckets, cost, now):
    """Return the rows that the script has to reply, and change the buckets as it has to."""
    rows, states = [], []
    for policy, bucket in zip(policies, buckets, strict=True):
        spent, broken = bucket.spent(policy, now)
        states.append((policy, bucket, spent, broken, spent + cost - policy.burst))
    all_allow = all(excess <= 0 for *_, excess in states)
    for policy, bucket, spent, broken, excess in states:
        rate = per_us(policy)
        if all_allow:
            spent += cost
        if cost and (all_allow or broken):
            bucket.write(policy, now, spent)
        rows.append(
            (
                excess <= 0,
                math.floor(policy.burst - spent),
                max(0, math.ceil(excess / rate)),
                math.ceil(spent / rate),
            )
        )
    return all_allow, rows


rates = st.one_of(
    st.sampled_from(
        [Rate(1_000_000), Rate(6_000), Rate(3, 2), Rate(100, 60), Rate(5_000, 3_600), Rate(1, 7)]
    ),
    st.builds(Rate, st.integers(1, 9_999), st.integers(1, 100_000)),
)


@st.composite
def policies_of(draw):
    count = draw(st.integers(1, 3))
    policies = []
    for name in "abc"[:count]:
        burst = draw(st.integers(1, 200))
        policies.append(Policy(name, burst, draw(rates)))
    return tuple(policies)


class BucketMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.redis = Redis.from_url(os.environ["REDIS_URL"])
        redis = client(os.environ["REDIS_URL"], connect_seconds=20)
        self.store = RedisStore(redis, timeout_seconds=20)
        self.secret = uuid.uuid4().bytes
        self.now = START_US
        self.waits = [0]

    @initialize(policies=policies_of())
    def begin(self, policies):
        self.buckets = [ModelBucket() for _ in policies]
        self.use(policies)

    def use(self, policies):
        self.policies = policies
        self.bucket = TokenBucket(RuleSet("rules", policies), self.store, secret=self.secret)

    @rule(
        cost=st.integers(0, 201),
        step_us=st.one_of(
            st.just(0),
            st.integers(1, 10),
            st.integers(1, 2_000_000),
            st.integers(0, DAY_US),
        ),
        backwards=st.sampled_from([False] * 9 + [True]),
        on_time=st.sampled_from([None, None, 0, -1]),
    )
    def request(self, cost, step_us, backwards, on_time):
        if on_time is not None:  # just when the last refusal said, or a microsecond before
            step_us, backwards = max(0, self.waits[-1] + on_time), False
        self.now += -step_us if backwards else step_us
        if cost > min(policy.burst for policy in self.policies):
            self.refused_cost(min(policy.burst for policy in self.policies) + 1)
            return
        keys = self.bucket.keys("client")
        before = self.redis.mget(keys)
        repairs = [
            b.spent(p, self.now)[1] for p, b in zip(self.policies, self.buckets, strict=True)
        ]
        allowed, rows = decide(self.policies, self.buckets, cost, self.now)

        decision = self.bucket.take("client", cost, now_us=self.now)

        assert [tuple(outcome[1:]) for outcome in decision.outcomes] == rows
        assert decision.allowed == allowed
        self.waits.append(decision.retry_after_us)
        if cost == 0 or not (allowed or any(repairs)):
            assert self.redis.mget(keys) == before

    def refused_cost(self, cost):
        try:
            self.bucket.take("client", cost, now_us=self.now)
        except ValueError:
            return
        raise AssertionError(f"cost {cost} is above a burst, and would have waited for ever")

    @rule(data=st.data())
    def change_policies(self, data):
        """A deployment: other bursts and rates, the same buckets."""
        changed = []
        for policy in self.policies:
            burst = data.draw(st.integers(1, 200))
            rate = data.draw(rates)
            changed.append(Policy(policy.name, burst, rate))
        self.use(tuple(changed))

    @invariant()
    def every_key_expires(self):
        if hasattr(self, "bucket"):
            with self.redis.pipeline(transaction=False) as asked:
                for key in self.bucket.keys("client"):
                    asked.pttl(key)
                assert -1 not in asked.execute()

    def teardown(self):
        self.redis.close()


BucketMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestBucketMachine = BucketMachine.TestCase
