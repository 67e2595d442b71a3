"""Routes: the airport pages, their documentation, and what operators read."""

from django.urls import include, path
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView
from flights.metrics import exposition
from flights.schema import Schema
from flights.views import health

urlpatterns = [
    path("healthz", health),
    path("metrics", exposition),
    path("api/schema/", Schema.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view()),
    path("api/redoc/", SpectacularRedocView.as_view(template_name="redoc.html")),
    path("api/", include("flights.urls")),
]

handler404 = "flights.views.not_found"
