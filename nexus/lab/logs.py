"""The end of a log that grows, a block at a time: a file of any length costs the same."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event

BLOCK_BYTES = 64 * 1024
LINES = 200
POLL_SECONDS = 0.3


async def tail(path: Path, closing: Event) -> AsyncIterator[str]:
    """Yield the last lines of `path`, then what comes, as events of an event stream.

    Where more than a block was written since the last event, its beginning is left out.
    """
    position = 0
    while not closing.is_set():
        lines, position = further(path, position)
        if lines:
            yield f"data: {json.dumps(lines[-LINES:])}\n\n"
        await asyncio.sleep(POLL_SECONDS)


def further(path: Path, position: int) -> tuple[list[str], int]:
    """Return the whole lines after `position`, from the last block at most, and where they end."""
    size = path.stat().st_size if path.exists() else 0
    if size < position:
        position = 0  # begun anew
    start = max(position, size - BLOCK_BYTES)
    if start == size:
        return [], position
    with path.open("rb") as log:
        log.seek(start)
        block = log.read(size - start)
    end = block.rfind(b"\n") + 1
    if not end and len(block) < BLOCK_BYTES:
        return [], position  # a line that is being written
    first = block.find(b"\n") + 1 if start > position else 0
    text = block[first : end or len(block)].decode(errors="replace")
    return text.removesuffix("\n").split("\n"), start + (end or len(block))
