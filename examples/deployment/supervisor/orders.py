"""Orders to the supervisor: a line of JSON each way, over a Unix socket that only its user may open."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import Any

from releases import Refused, Release

NAME = "orders.sock"
LONGEST_BYTES = 65_536
type Order = dict[str, Any]


@contextmanager
def listening(folder: Path) -> Iterator[socket.socket]:
    """Open the socket until the end of the block."""
    with socket.socket(socket.AF_UNIX) as door, chdir(folder):
        with suppress(FileNotFoundError):
            Path(NAME).unlink()
        before = os.umask(0o177)
        try:
            # By its name alone: a path of more than 107 bytes is no address.
            door.bind(NAME)
        finally:
            os.umask(before)
        door.listen()
        yield door


def answer(door: socket.socket, carry_out: Callable[[Order], Order], seconds: float) -> None:
    """Carry out one order, if one comes within the time; whoever stops in the middle of one is left."""
    door.settimeout(seconds)
    with suppress(OSError, ValueError, RecursionError):
        line, _ = door.accept()
        with line:
            line.settimeout(1)  # whoever says nothing holds up all others
            said = line.makefile("rb").readline(LONGEST_BYTES)
            line.sendall(json.dumps(carry_out(json.loads(said))).encode() + b"\n")


class Orders:
    """Gives orders; what starts and stops releases for a switch.

    Raises:
        Refused: from each method, if the supervisor is away or cannot carry it out.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self, release: Release) -> None:
        self.give("start", release=vars(release))

    def stop(self, release: Release, grace_seconds: float) -> None:
        self.give("stop", name=release.name, grace_seconds=grace_seconds)

    def ended(self, release: Release) -> str:
        return str(self.give("ended", name=release.name)["why"])

    def running(self) -> dict[str, int]:
        """Name -> process id."""
        return dict(self.give("running")["processes"])

    def give(self, do: str, **more: object) -> Order:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(30)
            try:
                with chdir(self._folder):
                    line.connect(NAME)
                line.sendall(json.dumps({"do": do, **more}).encode() + b"\n")
                told: Order = json.loads(line.makefile("rb").readline() or b"{}")
            except (OSError, ValueError) as error:
                raise Refused(f"the supervisor does not answer: {error}") from None
        if fault := told.get("fault", "" if told else "it broke off"):
            raise Refused(f"the supervisor cannot {do}: {fault}")
        return told
