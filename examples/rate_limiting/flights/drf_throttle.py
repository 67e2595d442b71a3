"""The throttles that come with Django REST framework, as its documentation sets them up.

https://www.django-rest-framework.org/api-guide/throttling/
"""

from collections.abc import Callable
from typing import Any

from rest_framework.throttling import AnonRateThrottle

from .airports import Airport


class AirportsThrottle(AnonRateThrottle):
    scope = "airports"


class BulkThrottle(AnonRateThrottle):
    scope = "bulk"


class BurstThrottle(AnonRateThrottle):
    scope = "second"


class SustainedThrottle(AnonRateThrottle):
    scope = "hour"


RATES = {
    "airports": "100/min",
    "bulk": "5000/hour",
    "tiered": "10/second and 30/hour",
}
THROTTLES = {
    "airports": [AirportsThrottle],
    "bulk": [BulkThrottle],
    "tiered": [BurstThrottle, SustainedThrottle],
}


def view(rules: str) -> Callable[..., Any]:
    return Airport.as_view(throttle_classes=THROTTLES[rules])
