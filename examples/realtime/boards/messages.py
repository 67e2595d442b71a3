"""What is told, where a listener stands in it, and why it is sent away."""

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Self

FORM = re.compile(r"([0-9a-f]{8})\.([0-9]{1,18})")


class Position(NamedTuple):
    """`epoch.seq`: the number of a room's change, in one count of them.

    `seq` is counted under the lock of the room's row: the order of numbers is the order of commits, and a
    number that is missing is a change that is missing.
    """

    epoch: str
    seq: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return what a client says; None if it is no position."""
        found = FORM.fullmatch(text)
        return cls(found[1], int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"


class Message(NamedTuple):
    """A change, or the state of a room after all changes up to its position."""

    position: Position
    text: str


type Read = Callable[[str], Awaitable[Message | None]]


class End(NamedTuple):
    """Why a listener is sent away: a code of RFC 6455, 7.4.2, and its time to come back, if any."""

    code: int
    reason: str
    retry_ms: int | None = None


REVOKED = End(4401, "the session has ended")
NO_ROOM = End(4404, "there is no such room")
NOTHING_IS_HEARD = End(4400, "nothing is heard here: POST what you change")


class Refused(Exception):
    """Nobody may listen like that; `end` says why."""

    def __init__(self, end: End) -> None:
        super().__init__(end.reason)
        self.end = end
