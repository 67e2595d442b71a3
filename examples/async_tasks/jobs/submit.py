"""Asking for a job: one statement writes it down, and nobody waits for a broker.

IETF draft-ietf-httpapi-idempotency-key-header-07 (2025): what a key means, and when it is refused.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from . import sql
from .models import Job
from .topology import QUEUES


class KeyReused(ValueError):
    """The Idempotency-Key came before with another request."""


def submit(
    kind: str,
    arguments: Mapping[str, Any],
    *,
    queue: str,
    key: str | None = None,
    delay_seconds: float = 0,
) -> uuid.UUID:
    """Write the job down, which is its message, too, and return its id.

    Part of the caller's transaction: rolled back with it, and never sent before its commit.

    Raises:
        ValueError: nobody works on that queue; its message would stay in the outbox.
        KeyReused: *key* names a job of another kind or with other arguments.
    """
    if queue not in QUEUES:
        raise ValueError(f"there is no queue {queue!r}, only {', '.join(QUEUES)}")
    job = uuid.uuid4()
    written = sql.rows(
        "submit",
        id=job,
        key=key,
        kind=kind,
        queue=queue,
        arguments=json.dumps(arguments),
        delay=delay_seconds,
    )
    if written:
        return job
    # The statement has waited for the other transaction with this key: what it committed is seen now.
    first = Job.objects.filter(key=key, kind=kind, arguments=arguments).first()
    if first is None:
        raise KeyReused("this Idempotency-Key came with another request")
    return first.id
