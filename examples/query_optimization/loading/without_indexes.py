"""Fill a table first and index it afterwards: one sort for each index instead of a descent for each row.

PostgreSQL manual, section 14.4: Remove Indexes, Remove Foreign Key Constraints.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SQL: Any = Path(__file__).with_suffix(".sql").read_text("utf-8")


@contextmanager
def without_indexes(cursor: Any, table: str) -> Iterator[None]:
    """Within a transaction, drop what each inserted row would pay for, and build it again at the end.

    Nobody sees the table without them: the transaction holds it exclusively until it commits.
    """
    statements = cursor.execute(SQL, {"table": table}).fetchall()
    for drop, _ in statements:
        cursor.execute(drop)
    yield
    for _, build in statements:
        cursor.execute(build)
