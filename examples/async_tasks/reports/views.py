"""The endpoints; how a report is made is the business of `variants`."""

import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from jobs.batch import submit_batch
from jobs.models import Job, State
from jobs.operating import Refused, cancel
from jobs.submit import KeyReused
from jobs.topology import BULK
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import schema
from .asking import AIRLINES, Asking, AskingForSummary
from .durable import REPORT, SUMMARY
from .models import Report
from .problems import problem
from .variants import VARIANTS, Asked, Variant

MOST_KEY = 200
MOST_BYTES = 16 * 1024


class RolledBack(Exception):
    """A request whose transaction fails after the job was asked for."""


def is_staff(request: HttpRequest) -> bool:
    """Whether the request bears the STAFF_TOKEN; without one in the settings, nobody does."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = settings.STAFF_TOKEN
    return bool(expected) and scheme == "Bearer" and constant_time_compare(token, expected)


def is_too_long(request: Request) -> bool:
    return int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES


@schema.reports
class Reports(APIView):
    """Where a report is asked for."""

    variant: Variant = VARIANTS[-1]

    def post(self, request: Request) -> HttpResponse:
        if is_too_long(request):
            return problem(413, f"A request has at most {MOST_BYTES} bytes")
        asking = Asking(data=request.data)
        asking.is_valid(raise_exception=True)
        arguments = dict(asking.validated_data)
        drill = arguments.get("drill")
        if drill and not is_staff(request):
            return problem(403, "Only staff may ask for a drill")
        key = request.headers.get("Idempotency-Key")
        if key is not None and not 0 < len(key) <= MOST_KEY:
            return problem(400, f"An Idempotency-Key has 1 to {MOST_KEY} characters")
        asked = Asked(
            urgent=arguments.pop("urgent"),
            delay_seconds=arguments.pop("delay_seconds"),
            arguments=arguments,
            key=key,
            correlation=request.headers.get("X-Request-ID", "")[:64] or uuid.uuid4().hex,
        )
        try:
            with transaction.atomic():
                job, _created = self.variant.ask(asked)
                if drill and drill.get("rollback"):
                    raise RolledBack
        except KeyReused as error:
            return problem(422, str(error))
        except RolledBack:
            return problem(409, "Rolled back", job=str(job))
        answer = accepted(job)
        answer["X-Request-ID"] = (
            asked.correlation
        )  # stands in the job's row and in the workers' logs
        return answer


@schema.summaries
class Summaries(APIView):
    """A report of each airline, and a summary once all of them have ended."""

    def post(self, request: Request) -> HttpResponse:
        if is_too_long(request):
            return problem(413, f"A request has at most {MOST_BYTES} bytes")
        asking = AskingForSummary(data=request.data)
        asking.is_valid(raise_exception=True)
        month = asking.validated_data["month"]
        members = [(REPORT, {"airline": code, "month": month}) for code in AIRLINES]
        job = submit_batch(
            SUMMARY, {"month": month}, members, queue=BULK, correlation=uuid.uuid4().hex
        )
        return accepted(job)


def accepted(job: uuid.UUID) -> HttpResponse:
    location = f"/api/jobs/{job}/"
    answer = JsonResponse({"id": str(job), "status": location}, status=202)
    answer["Location"] = location
    return answer


@schema.job
class Status(APIView):
    """What has become of a job."""

    def get(self, _request: Request, job: uuid.UUID) -> HttpResponse:
        if found := Job.objects.filter(id=job).first():
            return JsonResponse(described(found))
        return problem(404, "No such job")

    def delete(self, _request: Request, job: uuid.UUID) -> HttpResponse:
        """Cancel: a run that goes on is fenced off, a message that comes later runs nothing."""
        try:
            cancel(job)
        except Refused as error:
            return problem(404 if not Job.objects.filter(id=job).exists() else 409, str(error))
        return HttpResponse(status=204)


@schema.result
class Result(APIView):
    """The report itself, as a table or as a picture."""

    form: str = "csv"

    def get(self, _request: Request, job: uuid.UUID) -> HttpResponse:
        report = Report.objects.filter(job_id=job).first()
        if report is None:
            state = Job.objects.filter(id=job).values_list("state", flat=True).first()
            if state is None:
                return problem(404, "No such job")
            return problem(409, "There is no report yet", state=state)
        kind = {"csv": "text/csv; charset=utf-8", "svg": "image/svg+xml"}[self.form]
        return HttpResponse(getattr(report, self.form), content_type=kind)


def described(job: Job) -> dict[str, Any]:
    """Return what a client may know of a job."""
    document: dict[str, Any] = {
        "id": str(job.id),
        "state": job.state,
        "progress": job.progress,
        "attempts": job.attempts,
        "error": job.error,
        "created_at": job.created_at,
    }
    if job.state == State.DONE:
        base = f"/api/jobs/{job.id}"
        document["results"] = {form: f"{base}/report.{form}" for form in ("csv", "svg")}
    return document


@schema.index
class Index(APIView):
    def get(self, _request: Request) -> Response:
        return Response(
            {"variants": [{"name": v.name, "about": v.about, "path": v.path} for v in VARIANTS]}
        )


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves."""
    return JsonResponse({"status": "ok"})


@schema.watch
class Health(APIView):
    """Whether the workers of a variant work, as that variant can tell: 200 or 503."""

    variant: Variant = VARIANTS[-1]

    def get(self, _request: Request) -> HttpResponse:
        document = self.variant.health()
        return JsonResponse(document, status=503 if document["problems"] else 200)
