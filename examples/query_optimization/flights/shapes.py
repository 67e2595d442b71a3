"""What every variant answers with: the same code turns their rows into the same bytes.

A relation that a variant has not loaded is loaded here, one row at a time: this is where 1 + N happens.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from .models import Airport, Flight, Plane

LATEST = 3  # flights shown of each plane
type Month = tuple[datetime, datetime]  # its first and last moment, both within; UTC
# A flight, or of it what `values_list(*DEPARTURE)` returns.
type Departure = Flight | tuple[Any, ...]
# What a departure shows, by the names of its columns.
DEPARTURE = (
    "airline",
    "number",
    "scheduled_departure",
    "airline__name",
    "destination",
    "destination__name",
    "plane",
    "plane__model",
    "plane__seats",
)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """An airport's month; `mean_delay` in minutes, of the flights that left."""

    airport: str
    flights: int
    cancelled: int
    mean_delay: float | None
    wet_hours: int


def minute(moment: datetime) -> str:
    """Return a moment in UTC as 2013-07-01T10:00Z; strftime takes three times as long."""
    return f"{moment.isoformat(timespec='minutes')[:16]}Z"


def _columns(flight: Flight) -> tuple[Any, ...]:
    plane = flight.plane
    airline = flight.airline_id, flight.number, flight.scheduled_departure, flight.airline.name
    destination = flight.destination_id, flight.destination.name
    return *airline, *destination, flight.plane_id, plane and plane.model, plane and plane.seats


def _departure(columns: tuple[Any, ...]) -> dict[str, Any]:
    airline, number, scheduled, airline_name, code, name, plane, model, seats = columns
    return {
        "flight": f"{airline} {number}",
        "scheduled_departure": minute(scheduled),
        "airline": airline_name,
        "destination": {"code": code, "name": name},
        "plane": plane and {"model": model, "seats": seats},
    }


def _flight(flight: Flight) -> dict[str, Any]:
    return {
        "flight": f"{flight.airline_id} {flight.number}",
        "scheduled_departure": minute(flight.scheduled_departure),
    }


def _between(flight: Flight) -> dict[str, Any]:
    return {**_flight(flight), "origin": flight.origin_id, "destination": flight.destination_id}


def _named(row: object, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def board(flights: Iterable[Departure]) -> list[dict[str, Any]]:
    return [_departure(each if isinstance(each, tuple) else _columns(each)) for each in flights]


def planes(planes: Iterable[tuple[Plane, Iterable[Flight]]]) -> list[dict[str, Any]]:
    return [
        _named(plane, "tail_number", "manufacturer", "model")
        | {"latest": [_between(flight) for flight in latest]}
        for plane, latest in planes
    ]


def delays(flights: Iterable[Flight]) -> list[dict[str, Any]]:
    return [
        {
            **_flight(flight),
            "airline": flight.airline.name,
            "model": flight.plane.model if flight.plane else None,
            "delay_minutes": flight.departure_delay,
        }
        for flight in flights
    ]


def airports(airports: Iterable[Airport]) -> list[dict[str, Any]]:
    return [_named(airport, "code", "name", "city", "country") for airport in airports]


def report(rows: Iterable[ReportRow]) -> list[dict[str, Any]]:
    return [
        asdict(row) | {"mean_delay": row.mean_delay and round(float(row.mean_delay), 2)}
        for row in rows
    ]


def pages(flights: Iterable[Flight]) -> list[dict[str, Any]]:
    return [
        {"id": flight.pk, **_between(flight), "delay_minutes": flight.departure_delay}
        for flight in flights
    ]
