"""So many password hashes at a time on a machine, whoever asks for them; the rest come back later.

A hash takes half a second of a core by design. Twenty at once take all threads, and the site.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class Busy(Exception):
    """All places are taken."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Places as locks on files: they hold between processes, and the kernel frees those of a killed one."""

    folder: Path
    places: int = 1

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Hold a place until the end of the block.

        Raises:
            Busy: there is none; nobody waits, for a thread that waits is lost to all others.
        """
        for number in range(self.places):
            with (self.folder / f"hashing-{number}.lock").open("a") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield
                return
        raise Busy
