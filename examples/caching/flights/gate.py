"""How many computations may be in the database at a time, whatever Redis does."""

import threading
from collections.abc import Callable


class Overloaded(RuntimeError):
    """More computations are waiting for the database than it is allowed to be asked for."""


class Gate:
    """Lets so many threads in; one that is in may compute something else within."""

    def __init__(self, most: int, patience_seconds: float) -> None:
        self._permits = threading.BoundedSemaphore(most)
        self._patience_seconds = patience_seconds
        self._thread = threading.local()

    def run[T](self, work: Callable[[], T]) -> T:
        """Run *work*.

        Raises:
            Overloaded: there was no permit in time.
        """
        if getattr(self._thread, "is_in", False):
            return work()
        if not self._permits.acquire(timeout=self._patience_seconds):
            raise Overloaded
        self._thread.is_in = True
        try:
            return work()
        finally:
            self._thread.is_in = False
            self._permits.release()
