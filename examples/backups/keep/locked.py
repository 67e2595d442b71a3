"""Who works in a folder holds it: nobody restores into it, or removes it, meanwhile."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .place import Failed


class Busy(Failed):
    """Somebody else holds a folder."""


@contextmanager
def locked(folder: Path, how: int, busy: str) -> Iterator[None]:
    """Hold a lock on `folder` until the end of the block.

    Args:
        how: LOCK_SH of who reads it, LOCK_EX of who would be alone.

    Raises:
        Busy: somebody else holds it; says `busy`.
    """
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(busy) from None
        yield
    finally:
        os.close(lock)
