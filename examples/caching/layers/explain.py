"""Why an entry is served or not: its age, expiry, tags and lease, as an operator reads them."""

from collections.abc import Iterator
from typing import Any, cast

from redis import Redis
from redis.exceptions import ResponseError

from .leases import PREFIX, TAG_PREFIX, name_of
from .tags import EVERYTHING


def explain(redis: "Redis", key: str) -> Iterator[str]:
    """Yield one line for each thing that decides about *key*; changes nothing."""
    name = name_of(key)
    lease = cast(bytes | None, redis.get(f"{PREFIX}lease:{name}"))
    try:
        entry = cast(dict[bytes, bytes], redis.hgetall(f"{PREFIX}entry:{name}"))
    except ResponseError as error:
        yield f"entry: foreign, so a miss ({error})"
        entry = {}
    if not entry:
        yield "entry: none; the next reader computes"
    else:
        seconds, micros = cast(Any, redis.time())
        now_ms = seconds * 1000 + micros // 1000
        soft_ms = int(entry[b"soft_ms"]) - now_ms
        age_seconds = (now_ms - int(entry[b"filled_ms"])) / 1000
        yield f"entry: {len(entry[b'value'])} bytes, filled {age_seconds:.1f} s ago"
        yield (
            f"fresh for: {soft_ms / 1000:.1f} s"
            if soft_ms > 0
            else "past its soft expiry: stale is served"
        )
        yield f"gone in: {redis.pttl(f'{PREFIX}entry:{name}') / 1000:.1f} s"
        yield f"began at logical time: {int(entry[b'seq'])}"
        for tag in (EVERYTHING, *entry[b"tags"].decode().split()):
            purged = cast(bytes | None, redis.get(f"{TAG_PREFIX}{tag}"))
            void = purged is not None and int(purged) >= int(entry[b"seq"])
            when = "never purged" if purged is None else f"purged at {int(purged)}"
            yield f"tag {tag}: {when}{': the entry is void' if void else ''}"
    if lease:
        left_ms = redis.pttl(f"{PREFIX}lease:{name}")
        yield f"lease: somebody computes, for at most {left_ms / 1000:.1f} s more"
    else:
        yield "lease: none"
