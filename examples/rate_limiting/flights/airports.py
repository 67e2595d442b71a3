"""The airports this service knows, from a file: `airportsdata`, the thirteen of its stories."""

import json
from pathlib import Path
from typing import Final

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from .limited import problem

RECORDS: Final = json.loads(Path(__file__).with_name("airports.json").read_text("utf-8"))

# Encoded once: every variant then answers with the same bytes, and costs the same to answer.
DOCUMENTS: Final[dict[str, bytes]] = {
    record["code"]: json.dumps(record, ensure_ascii=False).encode() for record in RECORDS
}


class Airport(APIView):
    """The view; which limiter stands before it is the business of `variants`."""

    def get(self, _request: Request, code: str) -> HttpResponse:
        if document := DOCUMENTS.get(code.upper()):
            return HttpResponse(document, content_type="application/json")
        return problem(404, "No such airport", codes=sorted(DOCUMENTS))
