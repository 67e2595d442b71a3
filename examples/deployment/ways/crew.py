"""What a way has at hand to replace a release: the journal, the supervisor, the proxy in front."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from releases import Journal, Refused, Release, State, Switch
from releases.gate import Gate
from supervisor.orders import Orders

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Crew:
    """Hands for each step that a way may take.

    Attributes:
        switch: the solution, with the gate and the trial of this way.
        front: the folder of nginx, where it stands in front.
    """

    journal: Journal
    orders: Orders
    switch: Switch
    front: Path

    @property
    def state(self) -> State:
        return self.switch.state()

    def note(self, **changes: object) -> State:
        """Write to the journal what has changed."""
        return self.journal.write(replace(self.state, **changes))  # type: ignore[arg-type]

    def step(self, name: str) -> None:
        """Say which step comes, and write nothing."""
        self.journal.reached(name)

    def start(self, release: Release) -> None:
        """Start it, and return once it answers."""
        self.orders.start(release)
        health = Gate(health=self.switch.gate.health)
        health.await_ready(release.number, release.port, lambda: self.orders.ended(release))

    def stop(self, release: Release, grace_seconds: float | None = None) -> None:
        """Ask it to end, and return once it has."""
        grace = self.switch.grace_seconds if grace_seconds is None else grace_seconds
        self.orders.stop(release, grace)
        self.until(lambda: bool(self.orders.ended(release)))

    def point(self, *ports: int) -> None:
        """Have nginx send requests there from its next reload on."""
        point_nginx(self.front, *ports)

    def reload_nginx(self) -> None:
        self.orders.give("signal", number=int(signal.SIGHUP))

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for it.

        Raises:
            Refused: it takes longer than anybody would wait.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise Refused(f"nothing happened within {PATIENCE_SECONDS:.0f} s")
            time.sleep(0.02)


def point_nginx(folder: Path, *ports: int) -> None:
    """Write where nginx sends requests; it reads it when it starts, and when it is reloaded."""
    folder.mkdir(exist_ok=True)
    servers = "".join(f"server 127.0.0.1:{port}; " for port in ports)
    draft = folder / "origin.draft"
    draft.write_text(f"upstream releases {{ {servers}}}\n", encoding="utf-8")
    draft.replace(folder / "origin.conf")
