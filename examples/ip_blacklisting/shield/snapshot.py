"""The list on disk: what a process starts from when neither Redis nor PostgreSQL answers."""

import json
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any, BinaryIO

from .replica import Replica
from .run import Run

NAME = "list.jsonl"
PART = 10_000  # networks a line: the memory that it takes does not grow with the list


@dataclass(frozen=True, slots=True)
class Disk:
    """The folder that the processes of one machine share.

    Attributes:
        fetch: returns the bytes of a run that has no file here yet, None if there is a later one.
    """

    folder: Path
    fetch: Callable[[str], bytes | None]

    def write(self, replica: Replica) -> None:
        """Replace the list in one step: a reader gets the old one or this one."""
        with _replacing(self.folder / NAME) as file:
            file.writelines(json.dumps(line).encode() + b"\n" for line in _lines(replica))
        for path in self.folder.glob("*.run"):  # who has an old one mapped keeps it
            if path.stem != replica.feeds["digest"]:
                path.unlink(missing_ok=True)

    def read(self) -> Replica | None:
        """Return the list without the networks of feeds; None if there is none that can be read."""
        try:
            with (self.folder / NAME).open("rb") as file:
                found = Replica(*json.loads(file.readline()))
                for is_ban, *columns in map(json.loads, file):
                    table = found.bans if is_ban else found.exceptions
                    for key, expires in zip(*columns, strict=True):
                        table.add(key, expires)
                return found
        except (OSError, ValueError):
            return None

    def run(self, digest: str) -> Run | None:
        """Return a run from the file that is named after it, mapped into memory that all processes share."""
        path = self.folder / f"{digest}.run"
        if not path.exists():
            if (data := self.fetch(digest)) is None:
                return None
            with _replacing(path) as new:
                new.write(data)
        with path.open("rb") as file:
            return Run(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))


def _lines(replica: Replica) -> Iterator[list[Any]]:
    yield [replica.seq, replica.mark, replica.feeds]
    for is_ban, table in enumerate((replica.exceptions, replica.bans)):
        for part in batched(table.entries.items(), PART):
            yield [is_ban, *zip(*part, strict=True)]


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())  # or a machine that fails would leave a shorter list in its place
    temporary.replace(path)
