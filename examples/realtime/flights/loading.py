"""The boards of three airports on 1 January 2013, and one booking."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from .models import Flight, Room

DEPARTURES = Path(__file__).parent / "departures.json"
BOOKING, BOOKED = "Q7XK2M", ("JFK", "AA1141")


def load() -> int:
    """Add what is missing, and return how many flights there are."""
    boards = json.loads(DEPARTURES.read_text(encoding="utf-8"))
    booked = [each for each in boards[BOOKED[0]] if each["flight"] == BOOKED[1]]
    for name, flights in {**boards, BOOKING: booked}.items():
        _board(name, flights)
    return Flight.objects.count()


def _board(name: str, flights: Sequence[dict[str, str]]) -> None:
    room, _ = Room.objects.get_or_create(name=name)
    Flight.objects.bulk_create(
        [
            Flight(
                room=room, number=each["flight"], departs=datetime.fromisoformat(each["departs"])
            )
            for each in flights
        ],
        ignore_conflicts=True,
    )
