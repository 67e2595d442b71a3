"""The plan of a statement, executed: EXPLAIN ANALYZE runs it."""

import json
from typing import Any

from django.db import connections

from .capture import Statement
from .plan import Plan


def explain(statement: Statement) -> Plan:
    """Run a SELECT again and return how it was done.

    Raises:
        ValueError: it is no SELECT; running it twice would write twice.
    """
    if not statement.sql.lstrip().upper().startswith("SELECT"):
        raise ValueError("only a SELECT is explained")
    with connections[statement.database].cursor() as cursor:
        cursor.cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.sql}".encode())
        (explained,) = cursor.fetchone() or ([],)
    parsed: Any = json.loads(explained) if isinstance(explained, str) else explained
    return Plan.of(parsed)
