"""The API: each variant at its own path."""

from django.urls import path, re_path

from . import sessions, views
from .asked import ROOM

urlpatterns = [
    path("", views.index),
    path("sessions/", sessions.sessions),
    path("sessions/<uuid:session>/", sessions.session),
    path("tickets/", sessions.tickets),
    re_path(rf"^(?P<variant>[a-z_]+)/rooms/(?P<room>{ROOM})/$", views.room),
    re_path(rf"^(?P<variant>[a-z_]+)/rooms/(?P<room>{ROOM})/events$", views.events),
]
