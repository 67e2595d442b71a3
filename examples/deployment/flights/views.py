"""The endpoints: the boards, a booking, and an export that takes its time."""

import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST, require_safe
from ways.variants import VARIANTS

from .bookings import book
from .departures import BOARDS
from .problems import problem

LONGEST_SECONDS = 5


@require_safe
def index(_request: HttpRequest) -> JsonResponse:
    """GET: the ways of operating this service, and the release that answers."""
    ways = [{"name": each.name, "about": each.about} for each in VARIANTS]
    boards = [f"/api/airports/{code}/" for code in BOARDS]
    return JsonResponse({"variants": ways, "release": settings.RELEASE, "boards": boards})


@require_safe
def board(_request: HttpRequest, code: str) -> HttpResponse:
    """GET: the departures of an airport; the database is not asked."""
    if code == settings.FAULT:
        raise ValueError(f"release {settings.RELEASE} cannot show {code}")
    if code not in BOARDS:
        return problem(404, "No such airport", codes=list(BOARDS))
    return JsonResponse({"airport": code, "departures": BOARDS[code]})


@require_POST
def bookings(request: HttpRequest) -> HttpResponse:
    return book(request)


@require_safe
def export(request: HttpRequest, code: str) -> HttpResponse:
    """GET: the board as a long request; the seconds that it waits stand for the work of a real export."""
    asked = request.GET.get("seconds", "3")
    if not asked.isascii() or not asked.isdecimal() or int(asked[:3]) > LONGEST_SECONDS:
        return problem(400, f"seconds has to be a whole number up to {LONGEST_SECONDS}")
    time.sleep(int(asked))
    return board(request, code)
