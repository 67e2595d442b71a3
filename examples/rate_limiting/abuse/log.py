"""The named clients: one event each, in the log and, for all processes, in Redis."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from .detector import Suspect

KEY = "limiter:abuse"
EVENTS_KEPT = 100
REPEATED_AFTER_SECONDS = 60  # while the abuse goes on

log = logging.getLogger("abuse")


class AbuseLog:
    """The latest events of all processes, at most EVENTS_KEPT of them."""

    def __init__(self, redis: "Redis") -> None:
        self.redis = redis

    def report(
        self, suspect: Suspect, detector: str, window_seconds: float, now_seconds: float
    ) -> None:
        """Log and keep one event; of the processes that find the same client, the first reports.

        Without Redis every process logs what it found.
        """
        caller = suspect.caller
        event = json.dumps(
            {
                "event": "abnormal-usage-detected",
                "time": datetime.fromtimestamp(now_seconds, UTC).isoformat(timespec="milliseconds"),
                "detector": detector,
                "class": caller.kind,
                "client": caller.pseudonym,
                "network": caller.network,
                "requests_per_second": round(suspect.count / window_seconds, 2),
                "baseline_per_second": round(suspect.baseline / window_seconds, 2),
                "threshold_per_second": round(suspect.threshold / window_seconds, 2),
            }
        )
        named = f"{KEY}:{detector}:{caller.pseudonym}"
        try:
            if not self.redis.set(named, 1, nx=True, ex=REPEATED_AFTER_SECONDS):
                return
            self.redis.lpush(KEY, event)
            self.redis.ltrim(KEY, 0, EVENTS_KEPT - 1)
        except RedisError:
            pass
        log.warning(event)

    def latest(self) -> list[dict[str, Any]]:
        """Return the events, newest first; raises RedisError."""
        events: list[bytes] = self.redis.lrange(KEY, 0, EVENTS_KEPT - 1)  # type: ignore[assignment]  # typed for both clients
        return [json.loads(event) for event in events]
