"""What the documentation shows: the shapes of the answers, and the document itself."""

import threading
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
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


class ProblemShape(serializers.Serializer[object]):
    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()


class EditShape(serializers.Serializer[object]):
    code = serializers.CharField()
    version = serializers.IntegerField()


CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description="ICAO code, such as KJFK")

page = extend_schema(
    summary="One airport, or its alternates",
    parameters=[
        CODE,
        OpenApiParameter(
            "Cache-Control",
            str,
            OpenApiParameter.HEADER,
            description="no-cache asks Redis, not the process",
        ),
        OpenApiParameter(
            "Cache-Status",
            str,
            OpenApiParameter.HEADER,
            description="the layer that answered (layered only)",
            response=[200, 304],
        ),
    ],
    auth=[],
    responses={
        200: OpenApiResponse(dict, description="the page"),
        304: OpenApiResponse(description="the version of If-None-Match is the current one"),
        404: OpenApiResponse(ProblemShape, description="no such airport"),
    },
)
pages = extend_schema(
    summary="Several airports",
    parameters=[
        OpenApiParameter("codes", str, description="at most 100 codes, with commas between")
    ],
    auth=[],
    responses={
        200: OpenApiResponse(list[dict[str, str]], description="the pages of those that exist")
    },
)
edits = extend_schema(
    summary="Rename an airport (staff only)",
    parameters=[
        CODE,
        OpenApiParameter("name", str, required=True),
        OpenApiParameter("how", str, enum=["save", "update", "preview", "partial"]),
    ],
    auth=[{"staff": []}],  # type: ignore[list-item]  # the library passes requirements through
    request=None,
    responses={200: EditShape, 403: OpenApiResponse(description="not staff")},
)
index = extend_schema(
    summary="The variants and their paths",
    auth=[],
    responses={200: OpenApiResponse(dict, description="the variants")},
)
