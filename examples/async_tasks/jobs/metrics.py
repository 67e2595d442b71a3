"""What Prometheus is told: read from the rows when it asks, so that every process tells the same."""

from collections.abc import Iterator

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .models import Job
from .operating import OPEN
from .topology import QUEUES
from .watch import look


class Rows(Collector):
    """Jobs by state, and what the watch sees."""

    def collect(self) -> Iterator[Metric]:
        states = GaugeMetricFamily("jobs", "Jobs that have not ended, by state.", labels=["state"])
        for state, count in (
            Job.objects.filter(state__in=OPEN).values_list("state").annotate(Count("id"))
        ):
            states.add_metric([state], count)
        yield states
        watch = look([queue.name for queue in QUEUES])
        waiting = GaugeMetricFamily("jobs_waiting", "Jobs that wait.", labels=["queue"])
        oldest = GaugeMetricFamily(
            "jobs_oldest_seconds", "How long the oldest has waited for a worker.", labels=["queue"]
        )
        alive = GaugeMetricFamily("jobs_alive", "1 if runs begin on the queue.", labels=["queue"])
        for queue in watch.queues:
            waiting.add_metric([queue.name], queue.waiting)
            oldest.add_metric([queue.name], queue.oldest_seconds)
            alive.add_metric([queue.name], queue.alive)
        yield from (waiting, oldest, alive)
        yield GaugeMetricFamily(
            "jobs_dead_letters", "Dead letters that nobody has dealt with.", watch.dead_letters
        )
        yield GaugeMetricFamily(
            "jobs_outbox_seconds", "Age of the oldest message that is due.", watch.outbox_seconds
        )


REGISTRY = CollectorRegistry()
REGISTRY.register(Rows())


def exposition(_request: HttpRequest) -> HttpResponse:
    """Serve GET /metrics."""
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
