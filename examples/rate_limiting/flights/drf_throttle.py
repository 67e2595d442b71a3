"""The throttles that come with Django REST framework, as its documentation sets them up.

https://www.django-rest-framework.org/api-guide/throttling/
"""

from collections.abc import Callable
from typing import Any

from rest_framework.throttling import AnonRateThrottle

from .airports import Airport

RATES = {"airports": "100/min", "bulk": "5000/hour", "tiered": "10/second and 30/hour"}
SCOPES = {"airports": ["airports"], "bulk": ["bulk"], "tiered": ["second", "hour"]}


def view(rules: str) -> Callable[..., Any]:
    """Set one throttle for each scope before the view; their rates are in the settings."""
    throttles = [type(scope, (AnonRateThrottle,), {"scope": scope}) for scope in SCOPES[rules]]
    return Airport.as_view(throttle_classes=throttles)
