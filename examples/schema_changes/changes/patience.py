"""DDL that would rather come back later than make everybody wait: by itself, or in a migration.

A statement that waits for its exclusive lock queues all that come after it, readers too. With
lock_timeout it leaves the queue, lets them pass, and tries again.
PostgreSQL manual, Client Connection Defaults: lock_timeout.
"""

import random
import time
from typing import Any

from django.db import OperationalError, transaction
from django.db.migrations import RunSQL
from psycopg.errors import DeadlockDetected, LockNotAvailable

LOCK_TIMEOUT_MS = 300
PAUSE_SECONDS = 0.5
# An autovacuum is cancelled for whoever waits for deadlock_timeout: a second, longer than anybody does here.
SOONER = """
SELECT set_config('deadlock_timeout', %s, true) WHERE has_parameter_privilege('deadlock_timeout', 'SET')
"""


class GaveUp(RuntimeError):
    """The table was locked by others at every attempt; nothing was changed."""


def patiently(
    connection: Any, statement: str, *, lock_timeout_ms: int = LOCK_TIMEOUT_MS, attempts: int = 30
) -> int:
    """Execute one statement in a transaction of its own; return at which attempt it succeeded.

    Raises:
        GaveUp: after all `attempts`.
        RuntimeError: within a transaction; a migration has to say `atomic = False`.
    """
    for attempt in range(1, attempts + 1):
        try:
            # Durable: within another transaction, no lock would be let go of between two attempts.
            # LOCAL: behind a pooler, the next transaction of this connection may be somebody else's.
            with (
                transaction.atomic(connection.alias, durable=True),
                connection.cursor() as cursor,
            ):
                cursor.execute(f"SET LOCAL lock_timeout = {lock_timeout_ms:d}")
                cursor.execute(SOONER, [str(lock_timeout_ms // 2)])
                cursor.execute(statement)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                raise
            # Jitter: two migrations that met once would meet again.
            time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
        else:
            return attempt
    raise GaveUp(f"no lock within {lock_timeout_ms} ms, {attempts} times")


class Patiently(RunSQL):
    """RunSQL, each statement patiently, in a migration that is not atomic.

    A migration that is cut off runs again from its first statement: write each so that it may.
    """

    def _run_sql(self, schema_editor: Any, sqls: Any) -> None:
        if sqls == RunSQL.noop:
            return
        if schema_editor.collect_sql:  # for who reads it: sqlmigrate, squawk
            schema_editor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_MS}ms'", params=None)
        for statement in [sqls] if isinstance(sqls, str) else sqls:
            if schema_editor.collect_sql:
                schema_editor.execute(statement, params=None)
            else:
                patiently(schema_editor.connection, statement)
