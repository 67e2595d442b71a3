"""The endpoints of the process `web`: rooms and their changes, and one naive stream."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_safe,
)

from . import asked, rooms
from .configured import redis
from .drills import hold_publishing
from .permissions import is_staff
from .problems import problem
from .variants import BY_NAME, VARIANTS

NOT_THERE = "No such path; see /api/"


@require_safe
def index(_request: HttpRequest) -> JsonResponse:
    """GET: the variants, and where each may be listened to."""
    variants = [
        {
            "name": each.name,
            "about": each.about,
            "room": f"/api/{each.name}/rooms/JFK/",
            "listen": f"/api/{each.name}/rooms/JFK/" + ("socket" if each.listen else "events"),
        }
        for each in VARIANTS
    ]
    return JsonResponse({"variants": variants})


@require_http_methods(["GET", "HEAD", "POST"])
@asked.readable
def room(request: HttpRequest, variant: str, room: str) -> HttpResponseBase:
    """GET: the state of a room. POST, by staff: set the gate of a flight, and tell everybody."""
    if variant not in BY_NAME:
        return problem(404, NOT_THERE, variants=list(BY_NAME))
    if request.method == "POST":
        return _change(request, variant, room)
    # A booking is nobody's business but of who has a ticket.
    if asked.is_private(room) or not (state := rooms.state(room)):
        return problem(404, "No such room")
    return HttpResponse(state.text, content_type="application/json")


def _change(request: HttpRequest, variant: str, room: str) -> HttpResponse:
    if not is_staff(request):
        return problem(401, "Only the desk may change a flight")
    way = BY_NAME[variant]
    change = rooms.change(room, asked.change(request.body), outbox=way.outbox)
    if not change:
        return problem(404, "No such flight in this room")
    if not way.outbox:
        hold_publishing(redis, room, change.seq)
    way.publish(change)
    return JsonResponse({"seq": change.seq})


@require_GET
def events(_request: HttpRequest, variant: str, room: str) -> HttpResponseBase:
    """GET: a stream of events that a thread of this process sends."""
    way = BY_NAME.get(variant)
    if not way or not way.events or asked.is_private(room):
        return problem(404, NOT_THERE, variants=list(BY_NAME))
    return way.events(room)


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the variants that lead somewhere."""
    return problem(404, NOT_THERE, variants=list(BY_NAME))
