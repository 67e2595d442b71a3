"""Routes: the ways to know who asks, and whether this process serves."""

from django.urls import include, path
from flights.views import health

urlpatterns = [path("healthz", health), path("api/", include("flights.urls"))]

handler400 = "flights.problems.refused"
handler404 = "flights.problems.not_found"
handler500 = "flights.problems.failed"
