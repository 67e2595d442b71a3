"""What is cached, under which names, and for how long."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

EVERYTHING: Final = "*"  # the tag that every value has
PURGE_MEMORY_MS: Final = 2 * 86_400_000


def name_of(key: str) -> str:
    """Return the name of a key or tag in Redis; one that is long or has spaces becomes a hash."""
    plain = len(key) <= 200 and key.isascii() and key.isprintable() and " " not in key
    return key if plain else sha256(key.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Value:
    """The bytes, and the tags of what they depend on; no bytes: there is no such thing."""

    data: bytes
    tags: tuple[str, ...]


class Source(StrEnum):
    """Where an answer came from; of a computed one, what became of it."""

    LOCAL = "local"
    REDIS = "redis"
    STALE = "stale"
    COMPUTED = "computed"  # and stored
    OVERTAKEN = "overtaken"  # kept nowhere: a purge or the end of the lease came first
    BYPASS = "bypass"  # Redis is full or away, and cannot say whether it is current


@dataclass(frozen=True, slots=True)
class Ttl:
    """How long a value is fresh, how long it may be served at all, and how long a computation may take.

    Raises:
        ValueError: an entry would outlive the memory of its purge, and be served again.
    """

    soft_ms: int
    hard_ms: int
    lease_ms: int
    absent_ms: int = 10_000  # how long "there is no such thing" is remembered

    def __post_init__(self) -> None:
        if max(self.hard_ms, self.absent_ms) + self.lease_ms > PURGE_MEMORY_MS:
            raise ValueError(f"purges are remembered for {PURGE_MEMORY_MS} ms, no entry for longer")
