"""Routes: the flight API; /healthz is answered before them, in `flights.middleware`."""

from django.urls import include, path

urlpatterns = [path("api/", include("flights.urls"))]
