"""All rooms of one process: one reader fills them, however many listen."""

from asyncio import get_running_loop
from collections import deque
from collections.abc import Callable, Mapping

from . import drain
from .messages import REVOKED, End, Message, Position, Read
from .room import Listener, Room

HELD = 1_000  # changes of all rooms, as many as the stream keeps


class Hub:
    """Who listens to what; `read` is that of each room."""

    def __init__(self, read: Read) -> None:
        self.rooms: dict[str, Room] = {}
        self._read = read
        self._held: deque[tuple[str, Position]] = deque()
        self._sessions: dict[str, set[Listener]] = {}
        self._sent_away: Callable[[], End] | None = None

    def tell(self, entry: Mapping[str, str]) -> None:
        """Take an entry of the stream: a change, or without a room the end of a session."""
        if not (name := entry["room"]):
            for listener in tuple(self._sessions.get(entry["body"], ())):
                listener.close(REVOKED)
            return
        position = Position(entry["epoch"], int(entry["seq"]))
        if self._room(name).tell(Message(position, entry["body"])):
            self._held.append((name, position))
            while len(self._held) > HELD:
                self._drop(*self._held.popleft())

    def join(
        self, name: str, position: Position | None, session: str = "", seconds: float = 0
    ) -> Listener:
        """Let a client listen; with a session, until that is ended, and no longer than so many seconds."""
        room = self._room(name)
        listener = Listener(room, position, session)
        room.listeners.add(listener)
        if session:
            self._sessions.setdefault(session, set()).add(listener)
            listener.expiry = get_running_loop().call_later(seconds, listener.close, REVOKED)
        if self._sent_away:
            listener.close(self._sent_away())
        return listener

    def leave(self, listener: Listener) -> None:
        listener.room.listeners.discard(listener)
        self._tidy(listener.room)
        if listener.expiry:
            listener.expiry.cancel()
        if others := self._sessions.get(listener.session):
            others.discard(listener)
            if not others:
                del self._sessions[listener.session]

    def doubt(self) -> None:
        """Begin anew: changes may have been lost on the way here, and ends of sessions."""
        come_back = drain.ends()  # with a new ticket, if the session still lives
        for listeners in self._sessions.values():
            for listener in listeners:
                listener.close(come_back())
        for room in tuple(self.rooms.values()):
            room.forget()
            self._tidy(room)

    def drain(self) -> None:
        """Send everybody away, and who still comes."""
        self._sent_away = self._sent_away or drain.ends()
        for room in self.rooms.values():
            for listener in tuple(room.listeners):
                listener.close(self._sent_away())

    def _room(self, name: str) -> Room:
        return self.rooms.setdefault(name, Room(name, self._read))

    def _drop(self, name: str, position: Position) -> None:
        room = self._room(name)
        if room.ring and room.ring[0].position == position:
            room.ring.popleft()
        self._tidy(room)

    def _tidy(self, room: Room) -> None:
        if not (room.ring or room.listeners):
            self.rooms.pop(room.name, None)
