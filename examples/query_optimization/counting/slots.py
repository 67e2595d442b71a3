"""A counter that many count in at once: each takes one of its slots, and their sum is the number.

One row is locked from the statement that counts until its transaction ends; the others wait for it in
a queue. Sixteen rows are sixteen queues.
"""

import random
from pathlib import Path

from django.db import connections

COUNT = Path(__file__).with_name("count.sql").read_text("utf-8")
SLOTS = 16


def count(database: str, airport: str) -> None:
    """Count one more, within the caller's transaction: what is rolled back was never counted."""
    slot = random.randrange(SLOTS)  # noqa: S311 -- any slot will do
    with connections[database].cursor() as cursor:
        cursor.execute(COUNT, [airport, slot])
