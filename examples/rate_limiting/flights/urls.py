"""The flight API: each variant at its own path, with each of its limits."""

from django.urls import path

from .variants import VARIANTS
from .views import Abuse, Index

urlpatterns = [path("", Index.as_view()), path("abuse/", Abuse.as_view())]
urlpatterns += [
    path(route.removeprefix("/api/").format(code="<str:code>"), variant.view(rules))
    for variant in VARIANTS
    for rules, route in variant.paths.items()
]
