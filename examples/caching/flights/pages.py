"""What is cached: an airport's page, read from two tables, and its alternates, which are computed."""

import json
from collections.abc import Callable
from pathlib import Path

from django.db import connection
from layers.values import Value

ALTERNATES = Path(__file__).with_name("alternates.sql").read_text("utf-8")
AIRPORT = """
    SELECT code, name, city, country, latitude, longitude, version, nextval('flights_pages_read') > 0
    FROM flights_airport WHERE code = %s
"""
DEPARTURES = """
    SELECT flight, destination, minute FROM flights_departure WHERE airport_id = %s ORDER BY minute, flight
"""
FIELDS = ("code", "name", "city", "country", "latitude", "longitude", "version")

type Page = Callable[[str], Value]


def airport(code: str) -> Value:
    """Return the page of one airport: its row, then its departures."""
    with connection.cursor() as cursor:
        cursor.execute(AIRPORT, [code])
        if (row := cursor.fetchone()) is None:
            return Value(b"", (f"airport:{code}", "airports"))
        cursor.execute(DEPARTURES, [code])
        departures = [
            {"flight": flight, "destination": destination, "minute": minute}
            for flight, destination, minute in cursor.fetchall()
        ]
    document = dict(zip(FIELDS, row[:-1], strict=True)) | {"departures": departures}
    tags = (f"airport:{code}", f"country:{document['country']}")
    return Value(encoded(document), tags)


def alternates(code: str) -> Value:
    """Return the eight nearest airports: what it depends on is known only when it is computed."""
    with connection.cursor() as cursor:
        cursor.execute(ALTERNATES, {"code": code})
        rows = cursor.fetchall()
    names = ("code", "name", "km", "departures", "neighbours")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    tags = (f"airport:{code}", *(f"airport:{each['code']}" for each in found), "airports")
    return Value((found and encoded({"code": code, "alternates": found})) or b"", tags)


def encoded(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


PAGES: dict[str, Page] = {"airport": airport, "alternates": alternates}
