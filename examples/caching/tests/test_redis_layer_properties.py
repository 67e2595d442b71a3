"""Readers, writers and purges in any order: what is served is never older than the last purge."""

import os
import uuid

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule
from layers.local_layer import LocalLayer
from layers.redis_layer import ENTRIES, RedisLayer
from layers.values import Value
from lifetimes import SPENT, TTL
from readings import read
from redis import Redis

KEYS = ("a", "b")


class Machine(RuleBasedStateMachine):
    """Two rows, one tag for each and one for both; a computation reads the row when it begins."""

    holders = Bundle("holders")
    reads = Bundle("reads")
    redis = Redis.from_url(os.environ["REDIS_URL"])
    shared = RedisLayer(redis)

    def __init__(self):
        super().__init__()
        self.local = LocalLayer(10_000)
        self.local.clear(up=True)
        self.prefix = uuid.uuid4().hex
        self.versions = dict.fromkeys(KEYS, 1)

    def key(self, name):
        return f"{self.prefix}:{name}"

    def value(self, name, version):
        return Value(str(version).encode(), (self.key(name), self.key("both")))

    def check(self, name, value):
        assert int(value.data) == self.versions[name]

    @rule(target=holders, name=st.sampled_from(KEYS))
    def read(self, name):
        reading = read(self.shared, self.key(name), TTL)
        if reading.value:
            self.check(name, reading.value)
        return name, reading.lease, self.versions[name]

    @rule(holder=consumes(holders), ttl=st.sampled_from([TTL, SPENT]))
    def fill(self, holder, ttl):
        name, lease, version = holder
        self.shared.fill(self.key(name), lease, self.value(name, version), ttl)

    @rule(name=st.sampled_from(KEYS))
    def expire_lease(self, name):
        self.redis.delete(f"{ENTRIES}lease:{self.key(name)}")

    @rule(name=st.sampled_from(KEYS))
    def write(self, name):
        self.versions[name] += 1
        self.purge([self.key(name)])

    @rule()
    def write_both(self):
        for name in KEYS:
            self.versions[name] += 1
        self.purge([self.key("both")])

    def purge(self, tags):
        self.shared.purge(tags)
        self.local.purge(tags)

    @rule(target=reads, name=st.sampled_from(KEYS))
    def read_for_the_local_layer(self, name):
        epoch = self.local.epoch
        reading = read(self.shared, self.key(name), TTL)
        self.shared.give_back(self.key(name), reading.lease)
        return name, reading.value if reading.state == "fresh" else None, epoch

    @rule(read=consumes(reads))
    def store_in_the_local_layer(self, read):
        name, value, epoch = read
        if value:
            self.local.store(self.key(name), value, 60, epoch)

    @rule(name=st.sampled_from(KEYS))
    def read_local(self, name):
        if value := self.local.get(self.key(name)):
            self.check(name, value)


Machine.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestMachine = Machine.TestCase
