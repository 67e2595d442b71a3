"""The ways to keep the bookings: a module each, with the six functions that a `Way` has."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from keep.base import newest
from keep.place import Place, Server
from restore.replay import replayed


class Way(Protocol):
    """What a module says about one way."""

    def begin(self, place: Place, /) -> None:
        """Set the server up, before anything is booked; `place` is empty."""

    def processes(self, place: Place, /) -> Sequence[tuple[object, ...]]:
        """Return the commands of programs that have to run all the time."""

    def ready(self, place: Place, /) -> bool:
        """Whether those programs do their work now."""

    def keep(self, place: Place, /) -> object:
        """Do what is done each night."""

    def check(self, place: Place, /) -> str:
        """Say in the same night that all is well, or raise Failed."""

    def restored(self, place: Place, folder: Path, until: str, /) -> AbstractContextManager[Server]:
        """Make `folder` a server from what was kept, up to a moment if one is named."""


def nothing(_place: Place) -> None:
    """Set up nothing, or keep nothing at night."""


def no_programs(_place: Place) -> Sequence[tuple[object, ...]]:
    return ()


@contextmanager
def replayed_base(place: Place, folder: Path, until: str) -> Iterator[Server]:
    """Restore the newest base backup that serves, with what there is of the log."""
    with replayed(place, newest(place, until), place.folder / "log", folder, until) as server:
        yield server


def at_once(_place: Place) -> bool:
    """Whether programs that do not exist do their work."""
    return True
