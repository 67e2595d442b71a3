"""The flight API: each list of each variant at its own path."""

from django.urls import path
from queries.variants import VARIANTS

from .views import Index, views

urlpatterns = [path("", Index.as_view())]
urlpatterns += [
    path(f"{name}/{below}", view)
    for name, queries in VARIANTS.items()
    for below, view in views(name, queries).items()
]
