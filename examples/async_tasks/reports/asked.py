"""What a request for a report may say."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# fmt: off
AIRLINES: Final = (
    "9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV",
)
# fmt: on
MOST_DELAY_SECONDS: Final = 7 * 86_400


class Json(JSONParser):
    """REST framework's parser, which answers 500 to 16,384 brackets."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().parse(*args, **kwargs)
        except RecursionError:
            raise ParseError("JSON of too many levels") from None


class Drill(serializers.Serializer[Any]):
    """Staff only: be slow, fail, or roll the request back."""

    seconds = serializers.FloatField(min_value=0, max_value=120, required=False)
    fault = serializers.ChoiceField(["crash", "transient", "permanent"], required=False)
    rollback = serializers.BooleanField(required=False)


class ReportAsked(serializers.Serializer[Any]):
    """An airline and a month of 2013."""

    airline = serializers.ChoiceField(AIRLINES)
    month = serializers.IntegerField(min_value=1, max_value=12)
    quick = serializers.BooleanField(default=False)
    delay_seconds = serializers.FloatField(min_value=0, max_value=MOST_DELAY_SECONDS, default=0)
    drill = Drill(required=False)
