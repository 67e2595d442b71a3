"""The API: each variant at its own path."""

from django.urls import path, re_path

from . import sessions, views, wsgi_stream
from .asked import AIRPORT, ROOM
from .variants import BY_NAME

VARIANT = "|".join(BY_NAME)

urlpatterns = [
    path("", views.index),
    path("sessions/", sessions.sessions),
    path("sessions/<uuid:session>/", sessions.session),
    path("tickets/", sessions.tickets),
    re_path(rf"^(?P<variant>{VARIANT})/rooms/(?P<room>{ROOM})/$", views.room),
    re_path(rf"^wsgi_stream/rooms/(?P<room>{AIRPORT})/events$", wsgi_stream.events),
]
