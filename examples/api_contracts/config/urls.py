"""Routes: the variants, their contracts, and whether this process serves."""

from django.urls import include, path
from flights.views import health

urlpatterns = [path("healthz", health), path("api/", include("flights.urls"))]

handler400 = "flights.problems.bad_request"
handler404 = "flights.problems.not_found"
handler500 = "flights.problems.failed"
