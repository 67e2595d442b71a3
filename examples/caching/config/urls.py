"""Routes: the airport pages, and whether this process serves."""

from django.urls import include, path
from flights.views import health

urlpatterns = [path("healthz", health), path("api/", include("flights.urls"))]
