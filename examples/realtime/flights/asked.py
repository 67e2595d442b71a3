"""What a request may say."""

import json
import re
from collections.abc import Mapping

AIRPORT, BOOKING = r"[A-Z]{3}", r"[A-Z0-9]{6}"
ROOM = f"{AIRPORT}|{BOOKING}"
MOST = {"flight": 8, "gate": 8, "remark": 16_000}  # characters
CHANGE = (
    "a change has `flight` and `gate`, and perhaps `remark`: texts of at most "
    "{flight}, {gate} and {remark:,} characters".format(**MOST)
)
SESSION = "a session has the `room` of a booking, and perhaps `seconds`, a number from 1 to 86,400"


def is_private(room: str) -> bool:
    return len(room) == 6


def change(body: bytes) -> Mapping[str, str] | None:
    """Return the flight, the gate and the remark of a change; None if the body is no CHANGE."""
    said = {"remark": "", **_object(body)}
    if said.keys() != MOST.keys() or not all(_is_text(said[name], MOST[name]) for name in MOST):
        return None
    return {name: str(text) for name, text in said.items()}


def _is_text(said: object, most: int) -> bool:
    # PostgreSQL keeps no NUL, and UTF-8 no half of a pair.
    return (
        isinstance(said, str) and len(said) <= most and not re.search(r"[\x00\ud800-\udfff]", said)
    )


def session(body: bytes) -> tuple[str, int] | None:
    """Return a booking, and for how many seconds to listen to it; None if the body is no SESSION."""
    said = {"seconds": 3600, **_object(body)}
    room, seconds = said.get("room"), said["seconds"]
    if not isinstance(room, str) or not re.fullmatch(BOOKING, room):
        return None
    return (room, seconds) if type(seconds) is int and 1 <= seconds <= 86_400 else None


def _object(body: bytes) -> Mapping[str, object]:
    """Return what a JSON object has; nothing of what is none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) else {}
