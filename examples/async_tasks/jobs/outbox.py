"""The relay's first duty: hand what is due to the broker, and note that it was sent.

C. Richardson, Microservices Patterns (2018), section 3.3.7: transactional outbox.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from . import sql

MESSAGES: Final = 20  # of a batch: for so long the other queues wait

type Publish = Callable[[str, Sequence[UUID]], None]
"""Hands a message about jobs to a queue, and returns once the broker has confirmed it."""


def grouped(taken: Sequence[tuple[Any, ...]], most: int) -> Iterator[Sequence[UUID]]:
    """Yield the jobs of each message: at most so many; one that was lost before goes alone."""
    yield from ([job] for job, alone in taken if alone)
    together = [job for job, alone in taken if not alone]
    yield from (together[start : start + most] for start in range(0, len(together), most))


def carry_out(queue: str, most: int, publish: Publish) -> bool:
    """Publish one batch of what is due and committed on *queue*; return whether there may be more.

    They leave the outbox in the transaction that ends after the broker's confirmations: a relay that dies
    between the two publishes them again, and the job's row sees to it that they are run once. Where the
    broker refuses a message, those it has confirmed are gone, and the others stay.
    """
    refused, confirmed = None, list[UUID]()
    with transaction.atomic():
        taken = sql.by_index("take", queue=queue, most=most * MESSAGES)
        try:
            for group in grouped(taken, most):
                publish(queue, group)
                confirmed += group
        except Exception as error:  # raised once what was confirmed is committed
            refused = error
        if confirmed:
            sql.rows("sent", jobs=confirmed)
    if refused:
        raise refused
    return len(taken) == most * MESSAGES
