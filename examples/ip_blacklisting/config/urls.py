"""Routes: the flight API, its documentation, and what operators read."""

from bans.appeals import Appeals, Decision
from bans.logins import admin_login
from bans.metrics import exposition
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from flights.views import health

urlpatterns = [
    path("healthz", health),
    path("metrics", exposition),
    path("admin/login/", admin_login),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view()),
    path("api/appeals/", Appeals.as_view()),
    path("api/appeals/<int:appeal>/", Decision.as_view()),
    path("api/", include("flights.urls")),
]

handler404 = "flights.views.not_found"
