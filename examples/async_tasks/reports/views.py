"""The endpoints; how a report is made is the business of `variants`."""

import uuid
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from jobs.models import Job, State
from jobs.submit import KeyReused
from rest_framework.request import Request
from rest_framework.views import APIView

from .asked import ReportAsked
from .models import Report
from .permissions import is_staff
from .problems import problem
from .variants import VARIANTS, Asked, Variant

MOST_KEY = 200
MOST_BYTES = 16 * 1024


class RolledBack(Exception):
    """A request whose transaction fails after the job was asked for."""


class Reports(APIView):
    """Where a report is asked for."""

    variant: Variant = VARIANTS[-1]

    def post(self, request: Request) -> HttpResponse:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            return problem(413, f"A request has at most {MOST_BYTES} bytes")
        asking = ReportAsked(data=request.data)
        asking.is_valid(raise_exception=True)
        drill = asking.validated_data.get("drill")
        if drill and not is_staff(request):
            return problem(403, "Only staff may ask for a drill")
        key = request.headers.get("Idempotency-Key")
        if key is not None and not 0 < len(key) <= MOST_KEY:
            return problem(400, f"An Idempotency-Key has 1 to {MOST_KEY} characters")
        return self.accepted(Asked(dict(asking.validated_data), key), drill or {})

    def accepted(self, asked: Asked, drill: dict[str, Any]) -> HttpResponse:
        """Ask the variant for the job, in one transaction with whatever else the request does."""
        try:
            with transaction.atomic():
                job = self.variant.ask(asked)
                if drill.get("rollback"):
                    raise RolledBack
        except KeyReused as error:
            return problem(422, str(error))
        except RolledBack:
            return problem(409, "Rolled back", job=str(job))
        location = f"/api/jobs/{job}/"
        answer = JsonResponse({"id": str(job), "status": location}, status=202)
        answer["Location"] = location
        return answer


class Status(APIView):
    """What has become of a job."""

    def get(self, _request: Request, job: uuid.UUID) -> HttpResponse:
        if (found := Job.objects.filter(id=job).first()) is None:
            return problem(404, "No such job")
        document = {
            "id": str(found.id),
            "state": found.state,
            "attempts": found.attempts,
            "error": found.error,
            "created_at": found.created_at,
        }
        if found.state == State.DONE:
            document["report"] = f"/api/jobs/{found.id}/report.csv"
        return JsonResponse(document)


class Result(APIView):
    """The report itself."""

    def get(self, _request: Request, job: uuid.UUID) -> HttpResponse:
        if report := Report.objects.filter(job_id=job).first():
            return HttpResponse(report.csv, content_type="text/csv; charset=utf-8")
        return problem(404, "There is no such report, or not yet")


class Index(APIView):
    def get(self, _request: Request) -> HttpResponse:
        return JsonResponse(
            {"variants": [{"name": v.name, "about": v.about, "path": v.path} for v in VARIANTS]}
        )


class Health(APIView):
    """Whether the workers of a variant work, as that variant can tell: 200 or 503."""

    variant: Variant = VARIANTS[-1]

    def get(self, _request: Request) -> HttpResponse:
        document = self.variant.health()
        return JsonResponse(document, status=503 if document["problems"] else 200)


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves."""
    return JsonResponse({"status": "ok"})
