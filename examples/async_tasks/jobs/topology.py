"""Queues and exchanges, declared here and nowhere else.

RabbitMQ documentation (4.0): quorum queues, queue length limits.
"""

from typing import Final

from kombu import Exchange, Queue

MESSAGES: Final = Exchange("jobs", "direct", durable=True)


def queue(name: str) -> Queue:
    return Queue(
        name,
        MESSAGES,
        routing_key=name,
        # Nothing is dead-lettered: what the broker gives up, the sweep finds by its row.
        queue_arguments={"x-queue-type": "quorum", "x-overflow": "reject-publish"},
    )


BULK: Final = "jobs.bulk"
# Short jobs, with workers of their own: no priority helps against slots that are taken.
QUICK: Final = "jobs.quick"
QUEUES: Final = {name: queue(name) for name in (QUICK, BULK)}
# How many jobs a message may carry. They share two transactions, and the loss of one process.
GROUPS: Final = {QUICK: 50, BULK: 1}
