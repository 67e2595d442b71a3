"""The flight API: each variant at its own path, with each of its limits."""

from django.urls import path

from .variants import VARIANTS
from .views import index

urlpatterns = [path("", index)] + [
    path(route.removeprefix("/api/").format(code="<str:code>"), variant.view(rules))
    for variant in VARIANTS
    for rules, route in variant.paths.items()
]
