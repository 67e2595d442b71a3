"""The list on disk: what a process starts from when neither Redis nor PostgreSQL answers."""

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from .run import Run
from .table import Table

NAME = "bans.jsonl"
PART = 10_000  # networks a line: the memory that it takes does not grow with the list

type Document = Mapping[
    str, Any
]  # of a ban or of all feeds, as the triggers in schema.sql write them

NO_FEEDS: Document = {"digest": "", "networks": 0}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything as it was after change *seq*, which bears *mark*.

    Attributes:
        exceptions, bans: as they lie in memory; text would have to be parsed a million times at a start.
        feeds: their document; their networks have a file of their own.
    """

    seq: int = 0
    mark: str = ""
    feeds: Document = field(default_factory=lambda: NO_FEEDS)
    exceptions: Table = field(default_factory=Table)
    bans: Table = field(default_factory=Table)

    def write(self, folder: Path) -> None:
        """Replace the file in one step: a reader gets the old one or this one."""
        hashed = _hash()
        with _replacing(folder / NAME) as file:
            file.write(bytes(2 * hashed.digest_size) + b"\n")
            for document in self._documents():
                line = json.dumps(document, separators=(",", ":")).encode() + b"\n"
                hashed.update(line)
                file.write(line)
            file.seek(0)
            file.write(hashed.hexdigest().encode())

    def _documents(self) -> Iterator[Any]:
        yield {"seq": self.seq, "mark": self.mark, "feeds": self.feeds}
        for name, table in (("exceptions", self.exceptions), ("bans", self.bans)):
            for part in table.parts(PART):
                yield name, *part


def read(folder: Path) -> Snapshot | None:
    """Return the last snapshot, or None if there is none that is whole."""
    try:
        with (folder / NAME).open("rb") as file:
            head = file.readline()
            if hashlib.file_digest(file, _hash).hexdigest().encode() + b"\n" != head:
                return None
            file.seek(len(head))
            found = Snapshot(**json.loads(file.readline()))
            for line in file:
                name, *part = json.loads(line)
                {"exceptions": found.exceptions, "bans": found.bans}[name].extend(*part)
            return found
    except (OSError, TypeError):  # TypeError: written by another version of this program
        return None


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The run of all feeds in a file named after its content, mapped into memory that all processes share.

    Attributes:
        fetch: returns the bytes of a run that has no file here yet, None if there is a later one.
    """

    folder: Path
    fetch: Callable[[str], bytes | None]

    def __call__(self, digest: str) -> Run | None:
        path = self.folder / f"{digest}.run"
        if not path.exists():
            if (data := self.fetch(digest)) is None:
                return None
            with _replacing(path) as new:
                new.write(data)
        with path.open("rb") as file:
            return Run(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))

    def sweep(self, kept: str) -> None:
        """Remove runs that are not in use any more; who has one mapped keeps it."""
        for path in self.folder.glob("*.run"):
            if path.stem != kept:
                path.unlink(missing_ok=True)


def digest(data: bytes) -> str:
    return _hash(data).hexdigest()


def _hash(data: bytes = b"") -> "hashlib.blake2b":
    return hashlib.blake2b(data, digest_size=16)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        yield file
    temporary.replace(path)
