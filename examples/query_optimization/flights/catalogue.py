"""Every index that is there for a query, with a path that needs it and what that may read.

An index without such a line is a cost to every write and a gain to nobody.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """An index, the path of a list that it serves, below that of a variant, and the buffers it may read."""

    index: str
    path: str
    max_buffers: int


CATALOGUE = (
    # Equality on the airport, then the range of a day in the order of the answer.
    Entry("flight_board", "board/?origin=JFK&day=2013-07-01&limit=50", 400),
    # The delay is included: a month is counted without the table.
    Entry("flight_board", "report/?month=2013-07", 400),
    # Both ends of the route, then the delay downwards; only the late fifth of all flights is in it.
    Entry("flight_late", "delays/?origin=JFK&destination=LAX&minutes=60&limit=50", 400),
    Entry("flight_of_plane", "planes/?limit=50", 1_200),
    # Three letters at a time, wherever in the name they stand.
    Entry("airport_name_trigram", "airports/?text=kennedy&limit=50", 60),
    # The order of the pages: each begins where the index is entered.
    Entry("flight_newest", "pages/?size=20&before=2013-02-05T00:00:00Z", 15),
    # An expression that is never null, so that cancelled flights have a place in the order.
    Entry("flight_most_delayed", "pages/?order=delay&size=20", 40),
    # A range of a column that nearly follows the order of the rows: 24 kB say where to look.
    Entry("flight_departed", "departed/?since=2013-07-01T10:00:00Z&minutes=60&limit=50", 600),
)
