"""The flight API: each list of each variant at its own path."""

from django.urls import path

from .lists import LISTS
from .variants import VARIANTS
from .views import Index, ListView, Plans

urlpatterns = [path("", Index.as_view()), path("plans/", Plans.as_view())]
for variant in VARIANTS:
    for each in LISTS:
        view = ListView.as_view(list=each, queries=variant.queries)
        urlpatterns.append(path(f"{variant.name}/{each.name}/", view))
