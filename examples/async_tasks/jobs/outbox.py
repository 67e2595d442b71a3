"""The relay's first duty: hand what is due to the broker, and forget it once the broker has confirmed it.

C. Richardson, Microservices Patterns (2018), section 3.3.7: transactional outbox.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction

from . import sql

MESSAGES: Final = 20  # of a batch: so long the other queues wait


class Taken(NamedTuple):
    """A row of the outbox."""

    id: int
    job: UUID
    alone: bool


type Publish = Callable[[str, Sequence[UUID]], None]
"""Hands a message about jobs to a queue, and returns once the broker has confirmed it."""


def grouped(taken: Sequence[Taken], most: int) -> Iterator[Sequence[Taken]]:
    """Yield the rows of each message: of at most so many jobs; one that was lost before goes alone."""
    yield from ([each] for each in taken if each.alone)
    together = [each for each in taken if not each.alone]
    yield from (together[start : start + most] for start in range(0, len(together), most))


def carry_out(queue: str, most: int, publish: Publish) -> bool:
    """Publish one batch of what is due and committed on *queue*; return whether there may be more.

    The rows are deleted in the transaction that ends after the broker's confirmations: a relay that dies
    between the two publishes them again, and the job's row sees to it that they are run once. Where the
    broker refuses a message, those it has confirmed are forgotten, and the others stay.
    """
    refused, confirmed = None, list[int]()
    with transaction.atomic():
        taken = [Taken(*row) for row in sql.by_index("take", queue=queue, most=most * MESSAGES)]
        try:
            for group in grouped(taken, most):
                publish(queue, [each.job for each in group])
                confirmed += [each.id for each in group]
        except Exception as error:  # raised once what was confirmed is committed
            refused = error
        if confirmed:
            sql.rows("sent", rows=confirmed)
    if refused:
        raise refused
    return len(taken) == most * MESSAGES
