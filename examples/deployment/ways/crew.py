"""What a way has at hand to replace a release: the journal, the supervisor, the proxy in front."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from releases import Journal, Refused, Release, State, Switch
from releases.gate import wait
from supervisor.orders import Orders
from supervisor.supervisor import FRONT

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Crew:
    """Hands for each step that a way may take.

    Attributes:
        switch: the solution, with the gate and the trial of this way.
    """

    journal: Journal
    orders: Orders
    switch: Switch

    @property
    def state(self) -> State:
        return self.journal.read()

    def replace_live(self, folder: str) -> None:
        """Put the release in `folder` in the place of the live one, as the solution does."""
        self.switch.replace(folder)

    def note(self, **changes: object) -> State:
        """Write to the journal what has changed."""
        return self.journal.write(replace(self.state, **changes))  # type: ignore[arg-type]

    def start(self, release: Release) -> None:
        """Start it, and return once it answers."""
        self.orders.start(release)
        ended = partial(self.orders.ended, release)
        self.switch.gate.await_ready(release.number, release.port, ended)

    def stop(self, release: Release) -> None:
        """Ask it to end, and return once it has."""
        self.orders.stop(release, self.switch.grace_seconds)
        self.until(lambda: bool(self.orders.ended(release)))

    def point(self, *ports: int) -> None:
        """Have nginx read that it sends requests there; its old workers close their connections."""
        point_nginx(self.journal.folder / "nginx", *ports)
        os.kill(self.orders.running()[FRONT], signal.SIGHUP)

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for it.

        Raises:
            Refused: it takes longer than anybody would wait.
        """
        if not wait(done, PATIENCE_SECONDS):
            raise Refused(f"nothing happened within {PATIENCE_SECONDS:.0f} s")


def point_nginx(folder: Path, *ports: int) -> None:
    """Write where nginx sends requests; it reads it when it starts, and when it is reloaded."""
    folder.mkdir(exist_ok=True)
    servers = "".join(f"server 127.0.0.1:{port}; " for port in ports)
    (folder / "origin.conf").write_text(f"upstream releases {{ {servers}}}\n", encoding="utf-8")
