"""The list on disk: what a process starts from when neither Redis nor PostgreSQL answers."""

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from shield.run import Run
from shield.table import Table

NAME = "bans.jsonl"
PART = (
    10_000  # networks a line: the memory that writing and reading take does not grow with the list
)

type Document = Mapping[str, Any]  # of a ban or feed, as the triggers in schema.sql write them


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything as it was after change *seq* of the list *epoch*.

    Attributes:
        checksum: see `Replica`.
        exceptions, bans: as they lie in memory; text would have to be parsed a million times at a start.
        feeds: their documents; their networks have files of their own.
    """

    epoch: str
    seq: int
    checksum: int = 0
    feeds: Sequence[Document] = ()
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
        yield {
            "epoch": self.epoch,
            "seq": self.seq,
            "checksum": self.checksum,
            "feeds": list(self.feeds),
        }
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
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Runs in files named after their content, mapped into memory that all processes share.

    Attributes:
        fetch: returns the bytes of a feed that has no file here yet, None if it has a later version.
    """

    folder: Path
    fetch: Callable[[Document], bytes | None]

    def __call__(self, document: Document) -> Run | None:
        path = self.folder / f"{document['digest']}.run"
        if not path.exists():
            if (data := self.fetch(document)) is None:
                return None
            with _replacing(path) as new:
                new.write(data)
        with path.open("rb") as file:
            return Run(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))

    def sweep(self, kept: set[str]) -> None:
        """Remove runs that no feed has any more; who has one mapped keeps it."""
        for path in self.folder.glob("*.run"):
            if path.stem not in kept:
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
