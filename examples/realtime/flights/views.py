"""The endpoints of the process `web`: rooms and their changes."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods, require_safe

from . import asked, rooms
from .configured import redis
from .drills import hold_publishing
from .permissions import is_staff
from .problems import problem
from .variants import BY_NAME, VARIANTS


@require_safe
def index(_request: HttpRequest) -> JsonResponse:
    """GET: the variants, and where each may be listened to."""
    variants = [
        {
            "name": each.name,
            "about": each.about,
            "listen": f"/api/{each.name}/rooms/JFK/" + ("socket" if each.listen else "events"),
        }
        for each in VARIANTS
    ]
    return JsonResponse({"variants": variants})


@require_http_methods(["GET", "HEAD", "POST"])
def room(request: HttpRequest, variant: str, room: str) -> HttpResponse:
    """GET: the state of a room. POST, by staff: set the gate of a flight, and tell everybody."""
    if request.method == "POST":
        return _change(request, variant, room)
    # A booking is nobody's business but of who has a ticket.
    if asked.is_private(room) or not (state := rooms.state(room)):
        return problem(404, "No such room")
    return HttpResponse(state.text, content_type="application/json")


def _change(request: HttpRequest, variant: str, room: str) -> HttpResponse:
    if not is_staff(request):
        return problem(401, "Only the desk may change a flight")
    way, said = BY_NAME[variant], asked.change(request.body)
    if not said:
        return problem(400, asked.CHANGE)
    if not (change := rooms.change(room, said, outbox=not way.publish)):
        return problem(404, "No such flight in this room")
    if way.publish:
        hold_publishing(redis, room, change.seq)
        way.publish(change)
    return JsonResponse({"seq": change.seq})


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the variants that lead somewhere."""
    return problem(404, "No such path; see /api/", variants=list(BY_NAME))
