"""Routes: the flight lists, their documentation, and what operators read."""

from django.conf import settings
from django.urls import include, path
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView
from flights.schema import Schema
from flights.views import health
from plans.metrics import exposition
from plans.views import Catalogue, Plans

urlpatterns = [
    path("healthz", health),
    path("metrics", exposition),
    path("api/schema/", Schema.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view()),
    path("api/redoc/", SpectacularRedocView.as_view(template_name="redoc.html")),
    path("api/plans/", Plans.as_view()),
    path("api/catalogue/", Catalogue.as_view()),
    path("api/", include("flights.urls")),
]
if settings.TOOLBAR:
    urlpatterns.append(path("__debug__/", include("debug_toolbar.urls")))

handler404 = "flights.views.not_found"
