"""Routes: the reports, and what operators read."""

from django.urls import include, path
from reports.views import health

urlpatterns = [
    path("healthz", health),
    path("api/", include("reports.urls")),
]

handler404 = "reports.problems.not_found"
