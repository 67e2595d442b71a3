"""What Prometheus is told: queries and database time of each list, by variant."""

import os

from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

QUERIES = Histogram(
    "request_queries",
    "Statements sent to the database for one request.",
    ["route"],
    buckets=(0, 1, 2, 3, 5, 10, 50, 100, 500, 1_000),
)
SECONDS = Histogram("request_database_seconds", "Time of these statements together.", ["route"])


def exposition(_request: HttpRequest) -> HttpResponse:
    """Serve GET /metrics."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # of the library
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
