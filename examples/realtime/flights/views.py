"""The endpoints of the process `web`: rooms and their changes, sessions, tickets, and one naive stream."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from uuid import UUID

from boards.tickets import Pass, issue
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from . import asked, rooms
from .configured import redis
from .drills import hold_publishing
from .models import Room, Session
from .permissions import is_staff
from .problems import problem
from .variants import BY_NAME, VARIANTS

NOT_THERE = "No such path; see /api/"
type View = Callable[..., HttpResponseBase]


def readable(view: View) -> View:
    """Answer what cannot be understood with the reason."""

    @wraps(view)
    def answer(request: HttpRequest, **named: str) -> HttpResponseBase:
        try:
            return view(request, **named)
        except asked.Unreadable as error:
            return problem(400, str(error))

    return answer


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
@readable
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


@require_POST
@readable
def sessions(request: HttpRequest) -> HttpResponseBase:
    """POST, by staff: let a passenger listen to a booking for a while."""
    if not is_staff(request):
        return problem(401, "Only the desk may open a session")
    room, seconds = asked.booking(request.body)
    if not Room.objects.filter(name=room).exists():
        return problem(404, "No such booking")
    expires = timezone.now() + timedelta(seconds=seconds)
    session = Session.objects.create(room_id=room, expires_at=expires)
    return JsonResponse({"session": str(session.id)}, status=201)


@require_http_methods(["DELETE"])
def session(request: HttpRequest, session: UUID) -> HttpResponseBase:
    """DELETE, by staff: end a session, and whatever listens in its name."""
    if not is_staff(request):
        return problem(401, "Only the desk may end a session")
    return HttpResponse(status=204) if rooms.revoke(session) else problem(404, "No such session")


@require_POST
def tickets(request: HttpRequest) -> HttpResponseBase:
    """POST, with the session as bearer token: a ticket to listen once."""
    try:
        named = UUID(request.headers.get("Authorization", "").removeprefix("Bearer "))
    except ValueError:
        return problem(401, "A ticket asks for a session")
    found = Session.objects.filter(id=named, expires_at__gt=timezone.now()).first()
    if not found:
        return problem(401, "The session has ended")
    given = Pass(str(found.id), found.room_id, found.expires_at.timestamp())
    return JsonResponse({"ticket": issue(redis, given)}, status=201)


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the variants that lead somewhere."""
    return problem(404, NOT_THERE, variants=list(BY_NAME))
