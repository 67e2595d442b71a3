"""Who may listen to a booking: the desk opens a session, the session gets tickets, and the desk ends it."""

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from . import asked, rooms
from .configured import redis
from .models import Room, Session
from .permissions import bearer, is_staff
from .problems import problem
from .tickets import Pass, issue


@require_POST
def sessions(request: HttpRequest) -> HttpResponse:
    """POST, by staff: let a passenger listen to a booking for a while."""
    if not is_staff(request):
        return problem(401, "Only the desk may open a session")
    if not (said := asked.session(request.body)):
        return problem(400, asked.SESSION)
    room, seconds = said
    if not Room.objects.filter(name=room).exists():
        return problem(404, "No such booking")
    Session.objects.filter(expires_at__lte=timezone.now()).delete()
    expires = timezone.now() + timedelta(seconds=seconds)
    session = Session.objects.create(room_id=room, expires_at=expires)
    return JsonResponse({"session": str(session.id)}, status=201)


@require_http_methods(["DELETE"])
def session(request: HttpRequest, session: UUID) -> HttpResponse:
    """DELETE, by staff: end a session, and whatever listens in its name."""
    if not is_staff(request):
        return problem(401, "Only the desk may end a session")
    return HttpResponse(status=204) if rooms.revoke(session) else problem(404, "No such session")


@require_POST
def tickets(request: HttpRequest) -> HttpResponse:
    """POST, with the session as bearer token: a ticket to listen once."""
    try:
        named = UUID(bearer(request.headers))
    except ValueError:
        return problem(401, "A ticket asks for a session")
    found = Session.objects.filter(id=named, expires_at__gt=timezone.now()).first()
    if not found:
        return problem(401, "The session has ended")
    given = Pass(str(found.id), found.room_id, found.expires_at.timestamp())
    return JsonResponse({"ticket": issue(redis, given)}, status=201)
