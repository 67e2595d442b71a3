"""HAProxy by its runtime API (docs.haproxy.org/2.8/management.html#9.3): no reload, no connection is cut."""

import csv
import socket
from contextlib import chdir
from pathlib import Path
from typing import Protocol

from .gate import Refused

FULL = 100


class Proxy(Protocol):
    """Sends requests to one of two places."""

    def route(self, weights: dict[int, int]) -> None:
        """Send requests to the places in proportion; 0 takes no new one and answers those it has."""
        ...

    def under_way(self, port: int) -> int: ...
    def answers(self, port: int) -> tuple[int, int]:
        """How many answers a place has given since the proxy began, and how many of them were errors."""
        ...


class HAProxy:
    """The servers of one backend; each is called by its port.

    Args:
        address: its `stats socket`.
        ports: port -> name of the server.
    """

    def __init__(self, address: Path, backend: str, ports: dict[int, str]) -> None:
        self._address = address
        self._backend = backend
        self._ports = ports

    def route(self, weights: dict[int, int]) -> None:
        # Who gets more comes first, so that at no moment nobody gets anything.
        for port, weight in sorted(weights.items(), key=lambda each: -each[1]):
            # The gate has just asked it: to wait for the proxy's own check would be a gap.
            up = f"set server {self._server(port)} health up; " if weight else ""
            said = self._ask(f"{up}set server {self._server(port)} weight {weight}")
            if said.strip():
                raise Refused(f"the proxy refused: {said.strip()}")

    def under_way(self, port: int) -> int:
        return int(self._stat(port)["scur"])

    def answers(self, port: int) -> tuple[int, int]:
        stat = self._stat(port)
        counts = {kind: int(stat[f"hrsp_{kind}xx"] or 0) for kind in (1, 2, 3, 4, 5)}
        return sum(counts.values()), counts[5]

    def _server(self, port: int) -> str:
        return f"{self._backend}/{self._ports[port]}"

    def _stat(self, port: int) -> dict[str, str]:
        table = self._ask("show stat").removeprefix("# ")
        for row in csv.DictReader(table.splitlines()):
            if f"{row['pxname']}/{row['svname']}" == self._server(port):
                return row
        raise Refused(f"the proxy knows no {self._server(port)}")

    def _ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(15)
            try:
                # By its name alone: a path of more than 107 bytes is no address.
                with chdir(self._address.parent):
                    line.connect(self._address.name)
                line.sendall(f"{command}\n".encode())
                return b"".join(iter(lambda: line.recv(65536), b"")).decode()
            except OSError as error:
                raise Refused(f"the proxy does not answer: {error.strerror or error}") from None
