"""What the monthly report is asked for, and a row of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Month:
    year: int
    month: int

    @property
    def range(self) -> tuple[datetime, datetime]:
        """First and last moment, both within; UTC."""
        first = datetime(self.year, self.month, 1, tzinfo=UTC)
        following = (first + timedelta(days=31)).replace(day=1)
        return first, following - timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """An airport's month; `mean_delay` in minutes, of the flights that left."""

    airport: str
    flights: int
    cancelled: int
    mean_delay: float | None
    wet_hours: int
