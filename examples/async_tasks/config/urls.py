"""Routes: the reports, their documentation, and what operators read."""

from django.urls import include, path
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView
from jobs.metrics import exposition
from reports.schema import Schema
from reports.views import health

urlpatterns = [
    path("healthz", health),
    path("metrics", exposition),
    path("api/schema/", Schema.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view()),
    path("api/redoc/", SpectacularRedocView.as_view(template_name="redoc.html")),
    path("api/", include("reports.urls")),
]

handler404 = "reports.problems.not_found"
