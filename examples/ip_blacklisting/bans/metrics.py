"""What Prometheus is told; with PROMETHEUS_MULTIPROC_DIR, by all worker processes together."""

import os
from functools import cache

from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

MATCHES = Counter(
    "shield_matches",
    "Requests of banned clients, by list, and whether they were refused or a shadow let them in.",
    ["list", "outcome"],
)
child = cache(MATCHES.labels)  # labels() alone costs more than inc()


def exposition(_request: HttpRequest) -> HttpResponse:
    """Serve GET /metrics."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # of the library
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
