"""The numbers that a project may set, with what they are where it does not: settings of the same name."""

from collections.abc import Mapping
from typing import Final

from django.conf import settings

NUMBERS: Final[Mapping[str, float]] = {
    "LEASE_SECONDS": 5,  # a run that says nothing for so long is lost
    "MOST_ATTEMPTS": 8,  # of a job that fails for a while
    "MOST_LOSSES": 3,  # of a job whose runs end without a word
    "BACKOFF_SECONDS": 7,
    "BACKOFF_CAP_SECONDS": 120,
    "UNSEEN_SECONDS": 5,  # sent, not begun, and its queue is empty: lost
    "SOFT_LIMIT_SECONDS": 300,
    "HARD_LIMIT_SECONDS": 330,  # below RabbitMQ's consumer timeout, 30 min
    "SOFT_SHUTDOWN_SECONDS": 2,  # below the grace of whoever stops it
    "CHILD_MEGABYTES": 200,  # a worker's child is replaced after it has grown to that
}


def number(name: str) -> float:
    return float(getattr(settings, name, NUMBERS[name]))
