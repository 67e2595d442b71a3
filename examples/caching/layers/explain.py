"""Why an entry is served or not: its age, expiry, tags and lease, as an operator reads them."""

from collections.abc import Iterator
from typing import Any, cast

from redis import Redis
from redis.exceptions import ResponseError

from .leases import PREFIX, TAG_PREFIX, name_of
from .tags import EVERYTHING

NUMBERS = (b"soft_ms", b"filled_ms", b"seq")
TEXTS = (b"value", b"tags", b"etag", b"crc")


def explain(redis: "Redis", key: str) -> Iterator[str]:
    """Yield one line for each thing that decides about *key*; changes nothing."""
    name = name_of(key)
    try:
        entry = cast(dict[bytes, bytes], redis.hgetall(f"{PREFIX}entry:{name}"))
        numbers = [int(entry[field]) for field in NUMBERS if entry]
        texts = [entry[field] for field in TEXTS if entry]
    except (ResponseError, KeyError, ValueError) as error:
        yield f"entry: foreign, so a miss ({error})"
        entry = {}
    if not entry:
        yield "entry: none; the next reader computes"
    else:
        seconds, micros = cast(Any, redis.time())
        now_ms = seconds * 1000 + micros // 1000
        soft_ms, age_seconds = numbers[0] - now_ms, (now_ms - numbers[1]) / 1000
        yield f"entry: {len(texts[0])} bytes, filled {age_seconds:.1f} s ago"
        yield (
            f"fresh for: {soft_ms / 1000:.1f} s"
            if soft_ms > 0
            else "past its soft expiry: stale is served"
        )
        yield f"gone in: {redis.pttl(f'{PREFIX}entry:{name}') / 1000:.1f} s"
        yield f"began at logical time: {numbers[2]}"
        for tag in (EVERYTHING, *texts[1].decode(errors="replace").split()):
            try:
                purged = int(cast(bytes, redis.get(f"{TAG_PREFIX}{tag}") or b"0"))
            except (ResponseError, ValueError):
                yield f"tag {tag}: foreign: the entry is void"
                continue
            when = f"purged at {purged}" if purged else "never purged"
            yield f"tag {tag}: {when}{': the entry is void' if purged >= numbers[2] else ''}"
    left_ms = redis.pttl(f"{PREFIX}lease:{name}")
    if left_ms >= 0:
        yield f"lease: somebody computes, for at most {left_ms / 1000:.1f} s more"
    else:
        yield "lease: none"
