"""Replaces the live release: start, gate, try out, switch, drain, stop; and back, or on, after any fault.

Only one line of the journal decides which release is live. Whatever a switch that was killed has left,
`settle` makes true what that line says.
"""

from dataclasses import dataclass, replace
from typing import Protocol

from .gate import Gate, Refused, wait
from .journal import STEADY, Journal, Release, State
from .proxy import FULL, HAProxy
from .trial import Trial


class Starter(Protocol):
    """Starts and stops releases; each call returns at once."""

    def start(self, release: Release) -> None: ...
    def stop(self, release: Release, grace_seconds: float) -> None: ...
    def ended(self, release: Release) -> str: ...  # why it does not run; nothing while it does


@dataclass(frozen=True)
class Switch:
    """The program that replaces releases.

    Attributes:
        drain_seconds: for how long requests that are under way may go on.
        grace_seconds: from the request to stop until it is killed.
    """

    journal: Journal
    proxy: HAProxy
    starter: Starter
    gate: Gate
    trial: Trial | None = None
    drain_seconds: float = 30
    grace_seconds: float = 10

    def replace(self, folder: str) -> State:
        """Put the release in `folder` in the place of the live one.

        Raises:
            Refused: the old release is live, and the new one is gone.
        """
        before = self.journal.read()
        if before.step != STEADY:  # of a switch that was killed a moment ago
            before = self.settle(before)
        new = before.next(folder)
        self.proxy.under_way(new.port)  # asked first: without the proxy nothing is begun
        state = self.journal.write(replace(before, other=new, last=new.number, step="starting"))
        try:
            self.starter.start(new)
            state = self.journal.write(replace(state, step="gating"))
            self.gate.pass_(new.number, new.port, lambda: self.starter.ended(new))
            state = self.journal.write(replace(state, step="trying"))
            if self.trial:
                self.trial.pass_(self.proxy, new.port, lambda: self.starter.ended(new))
        except Refused:
            self.settle(state)
            raise
        # From this line on the new release is the live one.
        return self.settle(replace(state, live=new, other=before.live, step="switching"))

    def settle(self, state: State) -> State:
        """Make true what `state` says: all requests to the live release, the other one away.

        Raises:
            Refused: the proxy is away; the next call goes on.
        """
        self.journal.write(state)
        if (other := state.other) is None:
            return self.journal.write(replace(state, step=STEADY))
        self.proxy.route({state.live.port: FULL, other.port: 0})
        self.journal.write(replace(state, step="draining"))
        wait(lambda: not self.proxy.under_way(other.port), self.drain_seconds)
        self.journal.write(replace(state, step="stopping"))
        self.starter.stop(other, self.grace_seconds)
        wait(lambda: bool(self.starter.ended(other)), self.grace_seconds + 5)
        return self.journal.write(replace(state, other=None, step=STEADY))
