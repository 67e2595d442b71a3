"""Routes: the flight lists, and what operators read."""

from django.urls import include, path
from flights.views import health

urlpatterns = [
    path("healthz", health),
    path("api/", include("flights.urls")),
]
