"""The table that is changed: at its first migration, with the delays of three months in it."""

from typing import Any

from changes.rehearsal import migrate
from django.conf import settings

OWN = "mine"
# Apps that have such a table.
BEGUN = ("in_place", "if_not_exists", "expand_contract", *([OWN] if settings.MINE else []))
FILL = """
INSERT INTO {table} (flight_id, late, cause)
SELECT id, departure_delay, CASE WHEN departure_delay > 60 THEN 'weather' ELSE 'carrier' END
FROM flights_flight WHERE departure_delay IS NOT NULL
"""


def begin(connection: Any, app: str) -> str:
    """Make the app's table anew, in its first state and filled; return its name.

    It is dropped, not migrated back: whatever a migration has left of it may be in its way.
    """
    table = f"{app}_delay"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute("DELETE FROM django_migrations WHERE app = %s", [app])
    migrate(connection, app, "0001_delays")
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(table=table))
    return table
