"""The table that is changed: at its first migration, with the delays of three months in it."""

from typing import Any

from changes.rehearsal import migrate

BEGUN = ("in_place", "if_not_exists", "expand_contract")  # apps that have such a table
FILL = """
INSERT INTO {table} (flight_id, late, cause)
SELECT id, departure_delay, CASE WHEN departure_delay > 60 THEN 'weather' ELSE 'carrier' END
FROM flights_flight WHERE departure_delay IS NOT NULL
"""


def begin(connection: Any, app: str) -> str:
    """Migrate the app's table to its first state and fill it; return its name."""
    table = f"{app}_delay"
    migrate(connection, app, None)
    migrate(connection, app, "0001_delays")
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(table=table))
    return table
