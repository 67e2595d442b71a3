"""DDL that would rather come back later than make everybody wait.

A statement that waits for its exclusive lock queues all that come after it, readers too. With
lock_timeout it leaves the queue, lets them pass, and tries again.
PostgreSQL manual, Client Connection Defaults: lock_timeout.
"""

import random
import time
from typing import Any

from django.db import OperationalError
from psycopg.errors import LockNotAvailable

PAUSE_SECONDS = 0.5


class GaveUp(RuntimeError):
    """The table was locked by others at every attempt; nothing was changed."""


def patiently(
    connection: Any, statement: str, *, lock_timeout_ms: int = 300, attempts: int = 30
) -> int:
    """Execute one statement outside of a transaction; return at which attempt it succeeded.

    Raises:
        GaveUp: after all `attempts`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{lock_timeout_ms}ms"])
        try:
            for attempt in range(1, attempts + 1):
                try:
                    cursor.execute(statement)
                except OperationalError as error:
                    if not isinstance(error.__cause__, LockNotAvailable):
                        raise
                    # Jitter: two migrations that met once would meet again.
                    time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
                else:
                    return attempt
        finally:
            cursor.execute("RESET lock_timeout")
    raise GaveUp(f"no lock within {lock_timeout_ms} ms, {attempts} times")
