"""What the documentation shows: the shapes of the answers, and the document itself."""

import threading
from typing import Any, ClassVar

from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from .asking import Asking, AskingForSummary


class Schema(SpectacularAPIView):
    """The OpenAPI document, made by one thread at a time: drf-spectacular's first one is not thread-safe."""

    lock: ClassVar = threading.Lock()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with self.lock:
            return super().get(request, *args, **kwargs)  # type: ignore[no-any-return, no-untyped-call]  # of the library


class Problem(serializers.Serializer[object]):
    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()


class Accepted(serializers.Serializer[object]):
    id = serializers.UUIDField()
    status = serializers.CharField(help_text="where to ask what has become of it")


class JobShape(serializers.Serializer[object]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(["queued", "running", "done", "dead", "cancelled"])
    progress = serializers.IntegerField(help_text="per cent")
    attempts = serializers.IntegerField()
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    results = serializers.DictField(required=False)


def refused(description: str) -> OpenApiResponse:
    return OpenApiResponse(Problem, description=description)


reports = extend_schema(
    summary="Ask for a report",
    request=Asking,
    parameters=[
        OpenApiParameter(
            "Idempotency-Key",
            str,
            OpenApiParameter.HEADER,
            description="the same key, the same job (durable only)",
        )
    ],
    auth=[],
    responses={
        202: Accepted,
        400: refused("no such airline or month, or a webhook that points inward"),
        403: refused("a drill without the staff token"),
        422: refused("the key came with another request"),
    },
)
summaries = extend_schema(
    summary="Ask for a report of each airline, and one of all of them",
    request=AskingForSummary,
    auth=[],
    responses={202: Accepted, 400: refused("no such month")},
)
job = extend_schema_view(
    get=extend_schema(
        summary="What has become of a job",
        auth=[],
        responses={200: JobShape, 404: refused("no such job")},
    ),
    delete=extend_schema(
        summary="Cancel a job",
        auth=[],
        responses={
            204: OpenApiResponse(description="cancelled"),
            404: refused("no such job"),
            409: refused("it has ended"),
        },
    ),
)
result = extend_schema(
    summary="The report of a job, as a table or a picture",
    auth=[],
    responses={
        200: OpenApiResponse(str, description="the report"),
        404: refused("no such job"),
        409: refused("not done"),
    },
)
watch = extend_schema(
    summary="Whether work is being done",
    auth=[],
    responses={
        200: OpenApiResponse(dict, description="it is"),
        503: OpenApiResponse(dict, description="it is not, and why"),
    },
)
index = extend_schema(
    summary="The variants and their paths",
    auth=[],
    responses={200: OpenApiResponse(dict, description="the variants")},
)
