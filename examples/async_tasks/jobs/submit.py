"""Asking for a job: one statement writes it down, and nobody waits for a broker.

IETF draft-ietf-httpapi-idempotency-key-header-07 (2025): what a key means, and when it is refused.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from . import sql
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
) -> tuple[uuid.UUID, bool]:
    """Write the job and its message down; return its id, and whether it is new.

    Part of the caller's transaction: rolled back with it, and never sent before its commit.

    Raises:
        ValueError: nobody works on that queue; its message would stay in the outbox.
        KeyReused: *key* names a job of another kind or with other arguments.
    """
    if queue not in QUEUES:
        raise ValueError(f"there is no queue {queue!r}, only {', '.join(QUEUES)}")
    written = json.dumps(arguments)  # as the job's run will read them: a tuple is a list
    new = {
        "id": uuid.uuid4(),
        "key": key,
        "kind": kind,
        "queue": queue,
        "arguments": written,
        "delay": delay_seconds,
    }
    # A job of the same key that was committed while the statement waited for it: the next one sees it.
    found = sql.rows("submit", **new) or sql.rows("submit", **new)
    job, its_kind, its_arguments, created = found[0]
    if not created and (its_kind, json.loads(its_arguments)) != (kind, json.loads(written)):
        raise KeyReused("this Idempotency-Key came with another request")
    return job, created
