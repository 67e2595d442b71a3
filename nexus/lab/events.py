"""Numbered events that any thread appends and any number of browsers follow, with resume.

The identifiers are those of Server-Sent Events (WHATWG HTML, section 9.2): a browser that lost its
connection names the last one it saw in Last-Event-ID.
"""

import asyncio
import json
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

KEPT = 2000  # a minute of a busy run; who was away longer gets a snapshot
KEEP_ALIVE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `data` is JSON."""

    number: int
    kind: str
    data: str


class EventLog:
    """What happened in this lab since it started."""

    def __init__(self) -> None:
        self.boot = secrets.token_hex(4)  # numbers of a lab that was restarted mean nothing here
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._number = 0
        self._lock = threading.Lock()
        self._followers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._closed = False

    def append(self, kind: str, data: Any) -> None:
        """Add an event; callable from any thread."""
        text = json.dumps(data, separators=(",", ":"))
        with self._lock:
            self._number += 1
            self._events.append(Event(self._number, kind, text))
            followers = list(self._followers.items())
        _wake(followers)

    def close(self) -> None:
        """End every stream."""
        with self._lock:
            self._closed = True
            followers = list(self._followers.items())
        _wake(followers)

    async def follow(
        self, last_id: str, snapshot: Callable[[], dict[str, Any]]
    ) -> AsyncIterator[str]:
        """Yield events as they happen, in the format of an event stream.

        Args:
            last_id: the Last-Event-ID of a browser that comes back; empty for a new one.
            snapshot: the state of everything; sent first to whoever cannot be resumed.
        """
        woken = asyncio.Event()
        with self._lock:
            self._followers[woken] = asyncio.get_running_loop()
        try:
            seen = self._resumable(last_id)
            if seen is None:
                # Read before the snapshot is taken: an event may come twice, none gets lost.
                seen = self._number
                yield self._format(Event(seen, "snapshot", json.dumps(snapshot())))
            while not self._closed:
                woken.clear()
                for event in self._since(seen):
                    seen = event.number
                    yield self._format(event)
                try:
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        await woken.wait()
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            with self._lock:
                del self._followers[woken]

    def _resumable(self, last_id: str) -> int | None:
        """The number to go on after, or None when what came after it is no longer known."""
        boot, _, number = last_id.partition("-")
        if boot != self.boot or not number.isdecimal():
            return None
        with self._lock:
            oldest = self._events[0].number if self._events else self._number + 1
            return int(number) if oldest - 1 <= int(number) <= self._number else None

    def _since(self, number: int) -> list[Event]:
        with self._lock:
            return [event for event in self._events if event.number > number]

    def _format(self, event: Event) -> str:
        return f"id: {self.boot}-{event.number}\nevent: {event.kind}\ndata: {event.data}\n\n"


def _wake(followers: list[tuple[asyncio.Event, asyncio.AbstractEventLoop]]) -> None:
    for woken, loop in followers:
        if not loop.is_closed():
            loop.call_soon_threadsafe(woken.set)
