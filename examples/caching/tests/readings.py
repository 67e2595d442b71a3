"""What a read of Redis found, in one word."""

from typing import NamedTuple

from layers.values import Value


class Reading(NamedTuple):
    state: (
        str  # fresh; refresh and compute: the reader has the lease; stale and wait: somebody else
    )
    value: Value | None
    lease: bytes


def read(shared, key, ttl) -> Reading:
    left_ms, lease, value = shared.read(key, ttl)
    if left_ms:
        assert value
        assert not lease
        return Reading("fresh", value, lease)
    states = ("refresh", "stale") if value else ("compute", "wait")
    return Reading(states[not lease], value, lease)
