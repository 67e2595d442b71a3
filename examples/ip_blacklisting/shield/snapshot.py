"""The list on disk: what a process starts from when neither Redis nor PostgreSQL answers."""

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from shield.replica import Document
from shield.run import Run

NAME = "bans.json"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything as it was after change *seq* of the list *epoch*."""

    epoch: str
    seq: int
    bans: Sequence[Document]
    feeds: Sequence[Document]

    def write(self, folder: Path) -> None:
        """Replace the file in one step: a reader gets the old one or this one."""
        body = json.dumps(asdict(self), separators=(",", ":")).encode()
        _replace(folder / NAME, digest(body).encode() + b"\n" + body)


def read(folder: Path) -> Snapshot | None:
    """Return the last snapshot, or None if there is none that is whole."""
    try:
        head, _, body = (folder / NAME).read_bytes().partition(b"\n")
    except OSError:
        return None
    return Snapshot(**json.loads(body)) if head == digest(body).encode() else None


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
            _replace(path, data)
        with path.open("rb") as file:
            return Run(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))

    def sweep(self, kept: set[str]) -> None:
        """Remove runs that no feed has any more; who has one mapped keeps it."""
        for path in self.folder.glob("*.run"):
            if path.stem not in kept:
                path.unlink(missing_ok=True)


def digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)
