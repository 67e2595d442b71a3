"""What is live, in one file that is replaced as a whole: who is killed at any moment leaves it readable.

A switch writes each step before it takes it. Renaming a file is atomic (POSIX rename), so the line in which
`live` changes is the moment of the switch: before it the old release is live, after it the new one.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .gate import Refused

STEADY = "steady"


@dataclass(frozen=True)
class Release:
    """One running release: `folder` says what it is, `port` where it answers."""

    number: int
    folder: str
    port: int

    @property
    def name(self) -> str:
        return f"release-{self.number}"


@dataclass(frozen=True)
class State:
    """What is live, and what a switch that is under way has in hand.

    Attributes:
        way: the variant by which the service is operated.
        ports: of the two places where releases run; the proxy knows both.
        last: the highest number that was given.
        other: the release that comes or leaves.
    """

    way: str
    ports: tuple[int, int]
    live: Release
    last: int
    other: Release | None = None
    step: str = STEADY

    def next(self, folder: str) -> Release:
        """Return a release for the place that is free."""
        port = next(port for port in self.ports if port != self.live.port)
        return Release(self.last + 1, folder, port)


class Journal:
    """The file, and the lock of one switch at a time; `reached` hears of each step before it is taken."""

    def __init__(self, folder: Path, reached: Callable[[str], None] = lambda _: None) -> None:
        self.folder = folder
        self._file = folder / "journal.json"
        self.reached = reached

    def read(self) -> State:
        """Return what was written last.

        Raises:
            Refused: nothing was yet, or it is damaged.
        """
        try:
            told: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
            other = told.pop("other")
            told |= {"ports": tuple(told["ports"]), "live": Release(**told["live"])}
            return State(**told, other=Release(**other) if other else None)
        except FileNotFoundError:
            raise Refused("no release is live: the supervisor has not begun") from None
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise Refused(f"the journal cannot be read: {error}") from None

    def write(self, state: State) -> State:
        """Replace the file, wait for the disk, and return `state`.

        Raises:
            Refused: the disk is full; what was written before stands.
        """
        draft = self._file.with_suffix(".draft")
        try:
            with draft.open("w", encoding="utf-8") as file:
                json.dump(asdict(state), file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._file)
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)  # or the old name may be back after a power failure
            finally:
                os.close(folder)
        except OSError as error:
            raise Refused(f"the journal cannot be written: {error.strerror}") from None
        self.reached(state.step)
        return state

    @contextmanager
    def alone(self, name: str = "switch", *, wait: bool = False) -> Iterator[None]:
        """Hold the lock; the kernel takes it from whoever dies.

        Raises:
            Refused: another process holds it, and nobody wants to wait.
        """
        with (self.folder / f"{name}.lock").open("a", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise Refused(f"another {name} is under way") from None
            yield
