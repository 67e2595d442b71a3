"""What the documentation shows: the shapes of the answers, and the document itself."""

import threading
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response


class Schema(SpectacularAPIView):
    """The OpenAPI document, made by one thread at a time: drf-spectacular's first one is not thread-safe."""

    lock: ClassVar = threading.Lock()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with self.lock:
            return super().get(request, *args, **kwargs)  # type: ignore[no-any-return, no-untyped-call]  # of the library


class AirportShape(serializers.Serializer[object]):
    code = serializers.CharField()
    name = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()


class ProblemShape(serializers.Serializer[object]):
    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()


class EventShape(serializers.Serializer[object]):
    time = serializers.DateTimeField()
    detector = serializers.CharField()
    client = serializers.CharField(help_text="pseudonym: see `manage.py limits pseudonym`")
    network = serializers.CharField(help_text="the /24 or /64 of an address")
    requests_per_second = serializers.FloatField()
    baseline_per_second = serializers.FloatField()
    threshold_per_second = serializers.FloatField()


class AbuseShape(serializers.Serializer[object]):
    events = EventShape(many=True)


def header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(
        name, str, OpenApiParameter.HEADER, description=description, response=[200, 429]
    )


def described(description: str, shape: type[serializers.Serializer[object]]) -> OpenApiResponse:
    return OpenApiResponse(shape, description=description)


airport = extend_schema(
    summary="One airport",
    parameters=[
        OpenApiParameter("code", str, OpenApiParameter.PATH, description="IATA code, such as JFK"),
        header("RateLimit-Policy", "every policy: its quota and window (token bucket only)"),
        header("RateLimit", "what remains, and for how many seconds (token bucket only)"),
        header("RateLimit-Mode", "how a decision was made while Redis does not answer"),
    ],
    responses={
        200: described("the airport", AirportShape),
        404: described("no such airport", ProblemShape),
        429: described("refused until Retry-After", ProblemShape),
    },
    auth=[{}, {"key": []}],  # type: ignore[list-item]  # the library passes requirements through
    examples=[OpenApiExample("JFK", {"code": "JFK"}, response_only=True, status_codes=["200"])],
)
index = extend_schema(
    summary="The variants, their paths and limits",
    auth=[],
    responses={200: OpenApiResponse(dict, description="the variants")},
)
abuse = extend_schema(
    summary="The clients named by the detectors, newest first (staff only)",
    auth=[{"staff": []}],  # type: ignore[list-item]  # the library passes requirements through
    responses={200: AbuseShape, 403: OpenApiResponse(description="not staff")},
)
