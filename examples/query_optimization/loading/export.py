"""All flights as CSV: a stream of blocks."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

SQL = Path(__file__).with_name("export.sql").read_text("utf-8")


def stream(connection: Any, rows: int) -> Iterator[bytes]:
    """Return blocks of CSV as the server sends them; at no time is there more than one of them.

    The connection is taken at once, and is in use until the last block is read.
    """
    return _blocks(connection.cursor(), rows)


def _blocks(wrapped: Any, rows: int) -> Iterator[bytes]:
    with closing(wrapped), wrapped.cursor.copy(SQL, [rows]) as copy:
        for block in copy:
            yield bytes(block)
