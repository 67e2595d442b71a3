"""Where a follower learns of changes: the truth, which has all of them, and the stream, which is quick."""

from collections.abc import Sequence
from typing import Protocol

from .replica import Change, Replica


class SourceDown(Exception):
    """Redis or PostgreSQL did not answer; the list stays as it is."""


class Truth(Protocol):
    """Where changes are committed; every method may raise SourceDown."""

    def changes(self, since: int, most: int) -> list[Change]:
        """Return the change of this number, if there is one, and those after it, in their order."""
        ...

    def everything(self) -> Replica:
        """Return all but the networks of feeds."""
        ...


class Stream(Protocol):
    """What says at once that there are changes; may raise SourceDown."""

    def wait(self, after: int, seconds: float) -> Sequence[Change]: ...
