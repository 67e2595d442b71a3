"""One room in one process: its last changes in a ring, its state, and who listens.

A listener is a position in the ring, and no queue: one that reads slowly, or not at all, keeps nothing here.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from .messages import NO_ROOM, End, Message, Position, Read, Refused

OLD = 50  # changes since a state was read: a newer one is less to send


class Room:
    """Keep what a listener may have missed.

    Args:
        read: reads the state of the room from the database; None if there is no such room.
    """

    def __init__(self, name: str, read: Read) -> None:
        self.name = name
        self.ring: deque[Message] = deque()
        self.listeners: set[Listener] = set()
        self._read = read
        self._state: Message | None = None
        self._reading: asyncio.Task[Message | None] | None = None

    def tell(self, change: Message) -> bool:
        """Take the next change; False if it is not new: the pump may tell one twice."""
        if self.ring:
            last = self.ring[-1].position
            if change.position.epoch == last.epoch and change.position.seq <= last.seq:
                return False
            if change.position != last._replace(seq=last.seq + 1):
                self.ring.clear()  # what is between is not known here
        self.ring.append(change)
        self.wake()
        return True

    def wake(self) -> None:
        for listener in self.listeners:
            listener.ready.set()

    def forget(self) -> None:
        """Trust neither ring nor state: changes may have been lost on the way here."""
        self.ring.clear()
        self._state = None
        self.wake()

    def since(self, position: Position | None) -> list[Message] | None:
        """Return the changes after `position`; None if the ring does not reach back to it.

        A listener may be ahead of this process: another one has told it more.
        """
        if not (position and self.ring):
            return [] if position and self._state and self._state.position == position else None
        first, last = self.ring[0].position, self.ring[-1].position
        if position.epoch != last.epoch or position.seq < first.seq - 1:
            return None
        return [self.ring[place] for place in range(position.seq - last.seq, 0)]

    async def after(self, position: Position | None) -> list[Message]:
        """Return the changes after `position`, or the state and the changes after that.

        Raises:
            Refused: there is no such room.
        """
        while (missed := self.since(position)) is None:
            since = self.since(self._state.position) if self._state else None
            if not self._state or since is None or len(since) > OLD:
                self._state = await self._read_once()
            if (more := self.since(self._state.position)) is not None:
                return [self._state, *more]
            self.ring.clear()  # it is of another count, or what is between was dropped meanwhile
        return missed

    async def _read_once(self) -> Message:
        """Read the state once for all who ask meanwhile."""
        if not self._reading:
            self._reading = asyncio.ensure_future(self._read(self.name))
            self._reading.add_done_callback(lambda _: setattr(self, "_reading", None))
        if not (state := await asyncio.shield(self._reading)):
            raise Refused(NO_ROOM)
        return state


class Listener:
    """Where one client stands in a room."""

    def __init__(self, room: Room, position: Position | None, session: str = "") -> None:
        self.room = room
        self.position = position
        self.session = session
        self.end: End | None = None
        self.ready = asyncio.Event()
        self.ready.set()
        self.stop: Callable[[], object] = lambda: None
        self.expiry: asyncio.TimerHandle | None = None

    async def take(self) -> list[Message]:
        """Wait for messages, and return all that are there; nothing is kept for who does not ask."""
        while True:
            await self.ready.wait()
            if messages := await self.missed():
                return messages
            self.ready.clear()  # after the look: who is cancelled while a state is read looks again

    async def missed(self) -> list[Message]:
        """Return what is there now, be it nothing."""
        if messages := await self.room.after(self.position):
            self.position = messages[-1].position
        return messages

    def close(self, end: End) -> None:
        """End it, also while it waits for a client that does not read."""
        if not self.end:
            self.end = end
            self.stop()
