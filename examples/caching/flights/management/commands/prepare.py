"""Check the settings, migrate the database, load the airports: what a release runs before a web process."""

from typing import Any

import airportsdata
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, transaction

from flights.models import Airport

# Three departures a day from each airport that airlines know by an IATA code; the destinations are made up.
DEPARTURES = """
    WITH numbered AS (SELECT code, row_number() OVER (ORDER BY code) - 1 AS number
        FROM unnest(%s::text[]) AS code)
    INSERT INTO flights_departure (airport_id, flight, destination, minute)
    SELECT numbered.code, 'NX' || numbered.number * 3 + leg, there.code,
        (numbered.number * 7 + leg * 480) %% 1440
    FROM numbered CROSS JOIN generate_series(0, 2) AS leg JOIN numbered there
        ON there.number = (numbered.number * (7 + leg) + 1) %% (SELECT count(*) FROM numbered)
"""


class Command(BaseCommand):
    help = "Check, migrate and load; does nothing twice."

    def handle(self, *_: Any, **__: Any) -> None:
        call_command("check", deploy=True, fail_level="WARNING", tags=["security", "caches"])
        try:
            self.prepare()
        except OperationalError as error:
            reason = " ".join(str(error).split())
            raise CommandError(f"The database at DATABASE_URL does not answer: {reason}") from None

    def prepare(self) -> None:
        call_command("migrate", verbosity=0)
        with transaction.atomic(), connection.cursor() as cursor:
            # Two releases at once: the second waits, and finds the work done.
            cursor.execute("LOCK TABLE flights_airport IN SHARE ROW EXCLUSIVE MODE")
            if not Airport.objects.exists():
                self.load(cursor)

    def load(self, cursor: Any) -> None:
        airports = airportsdata.load("ICAO")
        columns = "code, name, city, country, latitude, longitude"
        with cursor.copy(f"COPY flights_airport ({columns}) FROM STDIN") as copy:
            for code, each in airports.items():
                row = (each["name"], each["city"], each["country"], each["lat"], each["lon"])
                copy.write_row((code, *row))
        cursor.execute(DEPARTURES, [[code for code, each in airports.items() if each["iata"]]])
        cursor.execute("TRUNCATE cache_outbox")  # nobody has a page that these would void
