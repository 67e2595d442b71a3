"""What Prometheus is told: read from the rows and from RabbitMQ when it asks, by whichever process."""

import logging
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .models import Job
from .operating import OPEN
from .queues import NoAnswer, depths
from .topology import DEAD, QUEUES
from .watch import look

logger = logging.getLogger(__name__)

OURS: Final = {queue.name for queue in (*QUEUES, DEAD)}


class Rows(Collector):
    """Jobs by state, and what the watch sees."""

    def collect(self) -> Iterator[Metric]:
        states = GaugeMetricFamily("jobs", "Jobs that have not ended, by state.", labels=["state"])
        for state, count in (
            Job.objects.filter(finished_at=None, state__in=OPEN)
            .values_list("state")
            .annotate(Count("id"))
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


class Broker(Collector):
    """What RabbitMQ says of its queues; without an address of its API, nothing."""

    def collect(self) -> Iterator[Metric]:
        if not settings.RABBITMQ_MANAGEMENT_URL:
            return
        up = GaugeMetricFamily("rabbitmq_up", "1 if RabbitMQ's management API answers.")
        shown = {
            name: GaugeMetricFamily(f"rabbitmq_{name}", about, labels=["queue"])
            for name, about in {
                "ready": "Messages that wait for a worker.",
                "unacknowledged": "Messages that a worker has.",
                "consumers": "Workers that listen.",
            }.items()
        }
        try:
            for queue in depths(settings.RABBITMQ_MANAGEMENT_URL):
                # Celery has others besides, some named after a container.
                for name, family in shown.items() if queue.name in OURS else ():
                    family.add_metric([queue.name], getattr(queue, name))
        except NoAnswer as error:
            logger.warning("RabbitMQ says nothing: %s", error)
            up.add_metric([], 0)
            yield up
        else:
            up.add_metric([], 1)
            yield from (up, *shown.values())


REGISTRY = CollectorRegistry()
REGISTRY.register(Rows())
REGISTRY.register(Broker())


def exposition(_request: HttpRequest) -> HttpResponse:
    """Serve GET /metrics."""
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
