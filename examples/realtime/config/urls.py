"""Routes: the API, and whether this process serves."""

from django.urls import include, path
from flights.views import health

urlpatterns = [
    path("healthz", health),
    path("api/", include("flights.urls")),
]

handler404 = "flights.views.not_found"
