"""What Prometheus is told; with PROMETHEUS_MULTIPROC_DIR, by all worker processes together."""

import os
import time
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from limiter.decision import Decision, Mode
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

DECISIONS = Counter("limiter_decisions", "Decisions of each policy.", ["policy", "outcome", "mode"])
SCRIPT = Histogram(
    "limiter_script_seconds",
    "Time of a decision in Redis, round trip included.",
    buckets=(0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1),
)
DEGRADED = Counter("limiter_degraded_seconds", "Time without Redis, of all processes.")

child = lru_cache(maxsize=1_024)(DECISIONS.labels)  # labels() alone costs more than inc()


class Outage:
    """The time from each degraded decision to the next decision, of one process."""

    since_seconds: float | None = None

    def note(self, degraded: bool, now_seconds: float) -> float:
        """Return the degraded seconds since the last decision; without requests none pass."""
        before, self.since_seconds = self.since_seconds, now_seconds if degraded else None
        return 0.0 if before is None else min(now_seconds - before, IDLE_SECONDS)


IDLE_SECONDS = 1.0
outage = Outage()


def observe(decision: Decision, seconds: float) -> None:
    """Count a decision, and the time that it took if Redis made it."""
    for outcome in decision.outcomes:
        word = "allowed" if outcome.allowed else "shadow" if outcome.policy.shadow else "refused"
        child(outcome.policy.name, word, decision.mode.value).inc()
    if decision.mode is Mode.EXACT:
        SCRIPT.observe(seconds)
    if decision.degraded or outage.since_seconds is not None:
        DEGRADED.inc(outage.note(decision.degraded, time.monotonic()))


def exposition(_request: HttpRequest) -> HttpResponse:
    """Serve GET /metrics."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # of the library
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
