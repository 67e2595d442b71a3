"""What may be asked of each list: query parameters with their bounds."""

import re
from typing import Any

from queries.keyset import Cursor
from queries.shapes import Month
from rest_framework import serializers

MOST_ROWS = 500


class Limited(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=MOST_ROWS, default=50)


class BoardAsked(Limited):
    origin = serializers.CharField(max_length=4)
    day = serializers.DateField()


class PlanesAsked(Limited):
    pass


class DelaysAsked(Limited):
    origin = serializers.CharField(max_length=4)
    destination = serializers.CharField(max_length=4)
    minutes = serializers.IntegerField(min_value=15, max_value=10_000, default=60)


class AirportsAsked(Limited):
    text = serializers.CharField(min_length=3, max_length=60)  # a trigram has three letters


class MonthField(serializers.CharField):
    """A month as 2013-07."""

    def to_internal_value(self, data: Any) -> Any:
        match = re.fullmatch(r"([12]\d{3})-(0[1-9]|1[0-2])", str(data))
        if not match:
            raise serializers.ValidationError("A month looks like 2013-07.")
        return Month(int(match[1]), int(match[2]))


class ReportAsked(serializers.Serializer[Any]):
    month = MonthField()


class CursorField(serializers.CharField):
    """A position that this service has signed."""

    def to_internal_value(self, data: Any) -> Any:
        return Cursor.read(str(data))


class PagesAsked(serializers.Serializer[Any]):
    size = serializers.IntegerField(min_value=1, max_value=MOST_ROWS, default=20)
    number = serializers.IntegerField(
        min_value=1,
        max_value=1_000_000,
        required=False,
        help_text="of the page, where pages have one",
    )
    cursor = CursorField(required=False, help_text="where the page begins, where pages have none")
    before = serializers.DateTimeField(required=False, help_text="a moment to begin at")


class LongAsked(serializers.Serializer[Any]):
    seconds = serializers.FloatField(min_value=0, max_value=10, default=1)
