"""The flight API: each list of each variant at its own path."""

from django.urls import path

from .lists import LISTS
from .variants import VARIANTS
from .views import Catalogue, Index, ListView, Long, Plans

urlpatterns = [
    path("", Index.as_view()),
    path("plans/", Plans.as_view()),
    path("catalogue/", Catalogue.as_view()),
]
for variant in VARIANTS:
    long = Long.as_view(queries=variant.queries)
    urlpatterns.append(path(f"{variant.name}/long/", long))
    for each in LISTS:
        view = ListView.as_view(list=each, queries=variant.queries)
        urlpatterns.append(path(f"{variant.name}/{each.name}/", view))
