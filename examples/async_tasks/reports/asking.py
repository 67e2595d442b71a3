"""What a request for a report may say."""

from typing import Any, Final

from rest_framework import serializers

from .webhooks import RefusedUrl, checked

# fmt: off
AIRLINES: Final = (
    "9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV",
)
# fmt: on
MOST_RESAMPLES: Final = 2_000
MOST_DELAY_SECONDS: Final = 7 * 86_400


class Drill(serializers.Serializer[Any]):
    """Staff only: be slow, fail, or roll the request back."""

    seconds = serializers.FloatField(min_value=0, max_value=120, required=False)
    fault = serializers.ChoiceField(["crash", "transient", "permanent"], required=False)
    rollback = serializers.BooleanField(required=False)


class Asking(serializers.Serializer[Any]):
    """An airline and a month of 2013."""

    airline = serializers.ChoiceField(AIRLINES)
    month = serializers.IntegerField(min_value=1, max_value=12)
    resamples = serializers.IntegerField(min_value=0, max_value=MOST_RESAMPLES, required=False)
    urgent = serializers.BooleanField(default=False)
    delay_seconds = serializers.FloatField(min_value=0, max_value=MOST_DELAY_SECONDS, default=0)
    webhook = serializers.CharField(required=False)
    drill = Drill(required=False)

    def validate_webhook(self, url: str) -> str:
        """Refuse what points inward, as far as it can be told without asking a name server."""
        try:
            checked(url)
        except RefusedUrl as error:
            raise serializers.ValidationError(str(error)) from error
        return url


class AskingForSummary(serializers.Serializer[Any]):
    """A month of 2013, of all airlines."""

    month = serializers.IntegerField(min_value=1, max_value=12)
