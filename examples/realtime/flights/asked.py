"""What a request may say."""

import json
import re
from collections.abc import Callable, Mapping
from functools import wraps

from django.http import HttpRequest, HttpResponseBase

from .problems import problem

type View = Callable[..., HttpResponseBase]

ROOM = r"[A-Z]{3}|[A-Z0-9]{6}"  # an airport, or a booking
MOST = {"flight": 8, "gate": 8, "remark": 16_000}  # characters


class Unreadable(ValueError):
    """It cannot be understood; the message says why."""


def is_private(room: str) -> bool:
    return len(room) == 6


def change(body: bytes) -> Mapping[str, str]:
    """Return the flight, the gate and the remark of a change.

    Raises:
        Unreadable: the body is no such thing.
    """
    said = _object(body)
    found = {"remark": "", **said}
    if found.keys() != MOST.keys():
        raise Unreadable("a change has `flight`, `gate` and perhaps `remark`")
    for name, most in MOST.items():
        text = found[name]
        if not isinstance(text, str) or len(text) > most or re.search(r"[\x00\ud800-\udfff]", text):
            raise Unreadable(f"`{name}` is a text of at most {most:,} characters")
    return {name: str(text) for name, text in found.items()}


def booking(body: bytes) -> tuple[str, int]:
    """Return the room of a booking, and for how many seconds a session may listen to it.

    Raises:
        Unreadable: the body is no such thing.
    """
    said = _object(body)
    room, seconds = said.get("room"), said.get("seconds", 3600)
    if not isinstance(room, str) or not re.fullmatch(r"[A-Z0-9]{6}", room):
        raise Unreadable("`room` is a booking of six letters and digits")
    if type(seconds) is not int or not 1 <= seconds <= 86_400:
        raise Unreadable("`seconds` is a number from 1 to 86,400")
    return room, seconds


def _object(body: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the body is no JSON") from error
    if not isinstance(said, dict):
        raise Unreadable("the body is no object")
    return said


def readable(view: View) -> View:
    """Answer what cannot be understood with the reason."""

    @wraps(view)
    def answer(request: HttpRequest, **named: str) -> HttpResponseBase:
        try:
            return view(request, **named)
        except Unreadable as error:
            return problem(400, str(error))

    return answer
