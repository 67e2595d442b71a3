"""The list that verdicts are handed to: one key of Redis for each network, gone when its time is over."""

from typing import cast

from detector.clients import neighbours
from detector.sightings import REFUSED_SECONDS, Verdict
from redis import Redis


class Refusals:
    """Whom one variant refuses."""

    def __init__(self, redis: "Redis", variant: str) -> None:
        self._redis, self._variant = redis, variant

    def add(self, verdict: Verdict) -> None:
        """Refuse a network for a while; raises RedisError."""
        if verdict.scope != "named":
            key, logins = self._key(verdict.network), verdict.scope == "logins"
            # Requests may be on their way: what they say of logins lets nobody in who is refused everything.
            self._redis.set(key, verdict.scope, ex=REFUSED_SECONDS, nx=logins)

    def scope(self, client: str) -> str:
        """Return what a client is refused: `all`, `logins` or nothing; raises RedisError."""
        names = [self._key(client), self._key(neighbours(client))]
        found = cast(list[bytes | None], self._redis.mget(names))
        scopes = {each.decode() for each in found if each}
        return "all" if "all" in scopes else "logins" if scopes else ""

    def _key(self, network: str) -> str:
        return f"refused:{self._variant}:{network}"
