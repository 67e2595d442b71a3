"""Lifetimes that outlast every test, and one that is over at once."""

from layers.values import Ttl

TTL = Ttl(soft_ms=60_000, hard_ms=120_000, lease_ms=60_000)
SPENT = Ttl(soft_ms=0, hard_ms=120_000, lease_ms=60_000)
