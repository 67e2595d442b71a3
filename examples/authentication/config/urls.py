"""Routes: the ways to know who asks, each below its own name, and whether this process serves."""

from django.urls import include, path
from flights.variants import VARIANTS
from flights.views import health, index

urlpatterns = [path("healthz", health), path("api/", index)] + [
    path(f"api/{each.name}/", include((list(each.urls), each.name))) for each in VARIANTS
]

handler400 = "flights.problems.refused"
handler404 = "flights.problems.not_found"
handler500 = "flights.problems.failed"
