"""What the documentation shows: the shapes of the answers, used by nothing else."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers


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
