"""HAProxy by its runtime API (docs.haproxy.org/2.8/management.html#9.3): no reload, no connection is cut."""

import csv
import socket
from contextlib import chdir
from pathlib import Path

from .gate import Refused

FULL = 100
TRIAL = "trial"  # the server that haproxy.cfg closes at its first error
AT_A_TIME = 3  # its maxconn


class HAProxy:
    """The servers of one backend; two of them are called by their ports.

    Args:
        address: its `stats socket`.
        ports: port -> name of the server.
    """

    def __init__(self, address: Path, backend: str, ports: dict[int, str]) -> None:
        self._address = address
        self._backend = backend
        self._ports = ports

    def route(self, weights: dict[int, int]) -> None:
        """Send requests to the places in proportion; 0 takes no new one and answers those it has."""
        # Who gets more comes first, so that at no moment nobody gets anything.
        for port, weight in sorted(weights.items(), key=lambda each: -each[1]):
            self._weigh(self._ports[port], weight)
        self._weigh(TRIAL, 0)

    def try_out(self, port: int, weight: int) -> None:
        if weight:
            self._ask(f"set server {self._backend}/{TRIAL} addr 127.0.0.1 port {port}")
        self._weigh(TRIAL, weight)

    def tried(self) -> tuple[int, int, int]:
        """Return the trial's weight, and how many answers and errors it has got since the proxy began."""
        [row] = [row for row in self._stat() if row["svname"] == TRIAL]
        counts = [int(row[f"hrsp_{kind}xx"] or 0) for kind in (1, 2, 3, 4, 5)]
        # What it breaks off or does not take: clients get 502 or a part, and neither is among its 5xx.
        broken = int(row["eresp"]) + int(row["econ"])
        return int(row["weight"]), sum(counts) + broken, counts[-1] + broken

    def under_way(self, port: int) -> int:
        return sum(int(row["scur"]) for row in self._stat() if row["addr"].endswith(f":{port}"))

    def _weigh(self, name: str, weight: int) -> None:
        server = f"set server {self._backend}/{name}"
        # The gate has just asked it: to wait for the proxy's own check would be a gap.
        up = f"{server} health up; " if weight else ""
        if said := self._ask(f"{up}{server} weight {weight}").strip():
            raise Refused(f"the proxy refused: {said}")

    def _stat(self) -> list[dict[str, str]]:
        rows = csv.DictReader(self._ask("show stat").removeprefix("# ").splitlines())
        return [row for row in rows if row["pxname"] == self._backend]

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
