"""The airport pages: each variant at its own paths, and the edits, which all of them have to hear of."""

from django.urls import path

from .variants import VARIANTS
from .views import Edits, Index, Page

urlpatterns = [path("", Index.as_view()), path("airports/<str:code>/edits/", Edits.as_view())]
urlpatterns += [
    path(f"{each.name}/airports/<str:code>/{end}", each.wrap(page)(view))
    for each in VARIANTS
    for page, end in (("airport", ""), ("alternates", "alternates/"))
    for view in (Page.as_view(variant=each, page=page),)
]
