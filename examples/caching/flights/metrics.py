"""What Prometheus is told; with PROMETHEUS_MULTIPROC_DIR, by all worker processes together."""

import os
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

EVENTS = Counter(
    "cache_events",
    "Answers by source (see layers.layered.Source), waits, fills by outcome, purges, failures.",
    ["event"],
)
PUSH_LAG = Histogram(
    "cache_push_lag_seconds",
    "From an own purge until Redis pushed it to this process' local layer.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
)
child = lru_cache(maxsize=64)(EVENTS.labels)  # labels() alone costs more than inc()


def note(event: str) -> None:
    """Count one event of the cache."""
    child(event).inc()


def exposition(_request: HttpRequest) -> HttpResponse:
    """Serve GET /metrics."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # of the library
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
