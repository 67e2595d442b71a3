"""What may be asked of each list: query parameters with their bounds."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from queries.keyset import Cursor
from rest_framework import serializers

from .models import LATE_MINUTES
from .orderings import ORDERINGS
from .shapes import Month

MOST_ROWS = 500


def has_neighbours(day: date) -> None:
    """Refuse the ends of the calendar: a day ends where the next begins."""
    if not 1 < day.year < 9999:
        raise serializers.ValidationError("A day lies between the years 2 and 9998.")


class Asked(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=MOST_ROWS, default=50)


class BoardAsked(Asked):
    origin = serializers.CharField(max_length=4)
    day = serializers.DateField(validators=[has_neighbours])


class DelaysAsked(Asked):
    origin = serializers.CharField(max_length=4)
    destination = serializers.CharField(max_length=4)
    # Below the least the partial index holds nothing.
    minutes = serializers.IntegerField(min_value=LATE_MINUTES, max_value=10_000, default=60)


class DepartedAsked(Asked):
    since = serializers.DateTimeField()
    minutes = serializers.IntegerField(min_value=1, max_value=1_440, default=60)

    def validate_since(self, value: datetime) -> datetime:
        has_neighbours(value)
        return value


class AirportsAsked(Asked):
    text = serializers.CharField(min_length=3, max_length=60)  # a trigram has three letters


class ReportAsked(serializers.Serializer[Any]):
    month = serializers.CharField()

    def validate_month(self, value: str) -> Month:
        if match := re.fullmatch(r"([12]\d{3})-(0[1-9]|1[0-2])", value):
            first = datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC)
            following = (first + timedelta(days=31)).replace(day=1)
            return first, following - timedelta(microseconds=1)
        raise serializers.ValidationError("A month looks like 2013-07.")


class PagesAsked(serializers.Serializer[Any]):
    size = serializers.IntegerField(min_value=1, max_value=MOST_ROWS, default=20)
    order = serializers.ChoiceField(choices=list(ORDERINGS), default="newest")
    number = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    cursor = serializers.CharField(required=False)
    before = serializers.DateTimeField(required=False)  # a moment to begin at, newest first

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "cursor" in attrs:
            attrs["cursor"] = Cursor.read(attrs["cursor"], ORDERINGS[attrs["order"]])
        if "before" in attrs and attrs["order"] != "newest":
            raise serializers.ValidationError({"before": "Only the order `newest` has moments."})
        return attrs
