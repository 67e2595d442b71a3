"""What of the contract no serializer says: parameters, bodies, headers and problems of each operation."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter

from .answers import ProblemSerializer
from .problems import TYPE

AIRPORT: Final = {"type": "string", "pattern": "^[A-Z]{3}$"}
TEXT: Final = r"^[^\u0000-\u001f\ud800-\udfff]+$"  # what PostgreSQL can keep
DAY: Final = {"type": "string", "format": "date", "pattern": r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"}

LISTED: Final = [
    OpenApiParameter("origin", AIRPORT, description="IATA code."),
    OpenApiParameter("destination", AIRPORT, description="IATA code."),
    OpenApiParameter("number", {"type": "integer", "minimum": 1, "maximum": 9999}),
    OpenApiParameter("day", DAY, description="Day of departure, UTC."),
    OpenApiParameter("page", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1}),
    OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
]
ONE: Final = OpenApiParameter(
    "id", {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}, OpenApiParameter.PATH
)
IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": '^"[0-9]{1,18}"$'},
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the answer that the change is based on.",
)
ETAG: Final = OpenApiParameter(
    "ETag",
    {"type": "string"},
    OpenApiParameter.HEADER,
    required=True,
    response=[200],
    description="The version of the flight.",
)
CHANGE: Final = {
    "type": "object",
    "required": ["bags"],
    "properties": {"bags": {"type": "integer", "minimum": 0, "maximum": 999}},
    "additionalProperties": False,
}
BOOK: Final = {
    "type": "object",
    "required": ["flight", "passenger", "seat"],
    "properties": {
        "flight": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
        "passenger": {"type": "string", "pattern": TEXT, "minLength": 1, "maxLength": 80},
        "seat": {"type": "string", "pattern": "^[1-9][0-9]?[A-F]$"},
    },
    "additionalProperties": False,
}


def problems(*statuses: int) -> dict[Any, Any]:
    """Return the answers for what may go wrong with an operation, besides what is wrong of itself."""
    return {(each, TYPE): ProblemSerializer for each in (400, 406, *statuses)}
