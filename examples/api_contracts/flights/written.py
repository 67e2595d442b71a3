"""What of the contract no serializer says: parameters, bodies, headers and problems of each operation."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from .answers import ProblemSerializer
from .problems import TYPE

AIRPORT: Final = {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["JFK"]}
TEXT: Final = r"^[^\u0000-\u001f]+$"  # PostgreSQL keeps no NUL
DAY: Final = {"type": "string", "format": "date", "examples": ["2013-01-01"]}

LISTED: Final = [
    OpenApiParameter("origin", AIRPORT, description="IATA code."),
    OpenApiParameter("destination", AIRPORT | {"examples": ["MIA"]}, description="IATA code."),
    OpenApiParameter(
        "number", {"type": "integer", "minimum": 1, "maximum": 9999, "examples": [1141]}
    ),
    OpenApiParameter("day", DAY, description="Day of departure, UTC."),
    OpenApiParameter("page", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1}),
    OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
]
ID: Final = {"type": "integer", "minimum": 1, "maximum": 2**53 - 1, "examples": [1]}
ONE: Final = OpenApiParameter("id", ID, OpenApiParameter.PATH)
IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": '^"[0-9]{1,18}"$', "examples": ['"1"']},
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
        "flight": ID,
        "passenger": {"type": "string", "pattern": TEXT, "maxLength": 80},
        "seat": {"type": "string", "pattern": "^[1-9][0-9]?[A-F]$"},
    },
    "additionalProperties": False,
}
BAGS: Final = OpenApiExample("Two bags", {"bags": 2}, request_only=True)
SEAT: Final = OpenApiExample(
    "A window", {"flight": 7, "passenger": "Ada Lovelace", "seat": "12A"}, request_only=True
)


def problems(*statuses: int) -> dict[Any, Any]:
    """Return the answers for what may go wrong with an operation, besides what is wrong of itself."""
    return {(each, TYPE): ProblemSerializer for each in (400, *statuses)}


def bodies_are_required(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of each body that it has to be there: drf-spectacular does not of a schema by hand."""
    for methods in result["paths"].values():
        for said in methods.values():
            if "requestBody" in said:
                said["requestBody"]["required"] = True
    return result
