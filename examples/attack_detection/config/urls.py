"""Routes: the flight API and its health."""

from django.urls import include, path
from flights.views import health

urlpatterns = [path("healthz", health), path("api/", include("flights.urls"))]

handler404 = "flights.problems.not_found"
