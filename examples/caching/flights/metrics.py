"""What Prometheus is told; with PROMETHEUS_MULTIPROC_DIR, by all worker processes together."""

import os
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

EVENTS = Counter(
    "cache_events",
    "Answers by source (local, redis, stale, computed, bypass), waits, fills by outcome, purges, failures.",
    ["event"],
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
