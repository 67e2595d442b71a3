"""The endpoints: the variants, and bookings, which each of them keeps in its own way."""

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from .asked import Refused, booking
from .ledger import Known, book
from .models import Account
from .problems import problem
from .variants import BY_NAME, VARIANTS


@require_safe
def index(_request: HttpRequest) -> JsonResponse:
    """GET: the variants."""
    variants = [
        {"name": each.name, "about": each.about, "path": f"/api/{each.name}/bookings/"}
        for each in VARIANTS
    ]
    return JsonResponse({"variants": variants})


@require_POST
def bookings(request: HttpRequest, variant: str) -> HttpResponse:
    """POST: book; 201 is a promise that no fault of the disk takes back, if the variant can keep it."""
    if variant not in BY_NAME:
        return problem(404, "No such variant; see /api/", variants=list(BY_NAME))
    try:
        asked = booking(request.body)
        book(asked)
    except Refused as fault:
        return problem(400, "No booking", detail=str(fault))
    except Account.DoesNotExist:
        return problem(404, "No such account")
    except Known:
        return problem(409, "There is a booking of this reference")
    except (OperationalError, InterfaceError):
        return problem(503, "Nobody knows whether it is booked: ask again with the same reference")
    return JsonResponse({"reference": asked.reference}, status=201)


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the variants that lead somewhere."""
    return problem(404, "No such path; see /api/", variants=list(BY_NAME))
