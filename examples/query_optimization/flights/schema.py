"""What the documentation shows of each list, and the document itself."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from .asked import AirportAsked, ExportAsked, LongAsked

if TYPE_CHECKING:
    from .lists import List


class Schema(SpectacularAPIView):
    """The OpenAPI document, made by one thread at a time: drf-spectacular's first one is not thread-safe."""

    lock: ClassVar = threading.Lock()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with self.lock:
            return super().get(request, *args, **kwargs)  # type: ignore[no-any-return, no-untyped-call]  # of the library


class ProblemShape(serializers.Serializer[object]):
    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()


BAD_INPUT = OpenApiResponse(ProblemShape, description="a parameter is not understood")
FULL = OpenApiResponse(ProblemShape, description="all database connections are in use")


def of(each: "List") -> Callable[[Any], Any]:
    """Describe the view of a list."""
    return extend_schema(
        summary=each.about,
        parameters=[each.asked] if each.asked().fields else [],
        auth=[],
        responses={
            200: OpenApiResponse(dict, description=each.about),
            400: BAD_INPUT,
            503: FULL,
        },
    )


long = extend_schema(
    summary="A query that takes as long as told (staff only)",
    parameters=[LongAsked],
    auth=[{"staff": []}],  # type: ignore[list-item]  # the library passes requirements through
    responses={200: OpenApiResponse(dict, description="done"), 503: FULL},
)
export = extend_schema(
    summary="All flights as CSV, streamed (staff only)",
    parameters=[ExportAsked],
    auth=[{"staff": []}],  # type: ignore[list-item]  # the library passes requirements through
    responses={(200, "text/csv"): str, 400: BAD_INPUT, 503: FULL},
)
views = extend_schema(
    summary="How often an airport's board was looked at",
    parameters=[AirportAsked],
    request=None,
    auth=[],
    responses={
        200: OpenApiResponse(dict, description="the number of views"),
        400: BAD_INPUT,
        503: FULL,
    },
)
index = extend_schema(
    summary="The variants and their lists",
    auth=[],
    responses={200: OpenApiResponse(dict, description="the variants")},
)
plans = extend_schema(
    summary="The queries behind a path, each with its plan (staff only)",
    auth=[{"staff": []}],  # type: ignore[list-item]  # the library passes requirements through
    responses={200: OpenApiResponse(dict, description="queries and plans"), 400: BAD_INPUT},
)
catalogue = extend_schema(
    summary="The indexes, each with a path that needs it (staff only)",
    auth=[{"staff": []}],  # type: ignore[list-item]  # the library passes requirements through
    responses={200: OpenApiResponse(dict, description="the catalogue")},
)
