"""The throttle that comes with Django REST framework, as its documentation sets it up.

https://www.django-rest-framework.org/api-guide/throttling/
"""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from rest_framework.throttling import AnonRateThrottle

from .views import Airport

RATES: dict[str, str] = cast(Any, settings.REST_FRAMEWORK)["DEFAULT_THROTTLE_RATES"]


class AirportsThrottle(AnonRateThrottle):
    scope = "airports"


class BulkThrottle(AnonRateThrottle):
    scope = "bulk"


THROTTLES = {throttle.scope: throttle for throttle in (AirportsThrottle, BulkThrottle)}


def view(rules: str) -> Callable[..., Any]:
    return Airport.as_view(throttle_classes=[THROTTLES[rules]])
