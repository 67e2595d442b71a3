"""Every index that is there for a query, with a path that needs it and what that may read.

An index without such a line is a cost to every write and a gain to nobody.
"""

from dataclasses import dataclass

from plans.plan import Expectation


@dataclass(frozen=True, slots=True)
class Entry:
    """An index and the list that it serves; `{variant}` in the path names who asks."""

    path: str
    expected: Expectation
    why: str


CATALOGUE = (
    Entry(
        "/api/{variant}/board/?origin=JFK&day=2013-07-01&limit=50",
        Expectation("flight_board", 400),
        "equality on the airport, then the range of a day in the order of the answer",
    ),
    Entry(
        "/api/{variant}/delays/?origin=JFK&destination=LAX&minutes=60&limit=50",
        Expectation("flight_late", 400),
        "both ends of the route, then the delay downwards; only the late fifth of all flights is in it",
    ),
    Entry(
        "/api/{variant}/airline/?code=UA&limit=50",
        Expectation("flight_of_airline", 500),
        "the newest flights of an airline, and its foreign key",
    ),
    Entry(
        "/api/{variant}/planes/?limit=50",
        Expectation("flight_of_plane", 1_200),
        "the newest flights of each plane",
    ),
    Entry(
        "/api/{variant}/airports/?text=kennedy&limit=50",
        Expectation("airport_name_trigram", 60),
        "three letters at a time, wherever in the name they stand",
    ),
    Entry(
        "/api/{variant}/report/?month=2013-07",
        Expectation("flight_board", 400),
        "the delay is included: a month is counted without the table",
    ),
    Entry(
        "/api/{variant}/pages/?size=20&before=2013-02-05T00:00:00Z",
        Expectation("flight_newest", 15),
        "the order of the pages: each begins where the index is entered",
    ),
    Entry(
        "/api/{variant}/pages/?order=delay&size=20",
        Expectation("flight_most_delayed", 40),
        "an expression that is never null, so that cancelled flights have a place in the order",
    ),
    Entry(
        "/api/{variant}/departed/?since=2013-07-01T10:00:00Z&minutes=60&limit=50",
        Expectation("flight_departed", 600),
        "a range of a column that nearly follows the order of the rows: 24 kB say where to look",
    ),
)
