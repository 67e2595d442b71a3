"""The airport pages: each variant at its own paths, and the edits, which all of them have to hear of."""

from django.urls import path

from .views import Edits, Index, urls

urlpatterns = [path("", Index.as_view()), path("airports/<str:code>/edits/", Edits.as_view())]
urlpatterns += [path(route, view) for route, view in urls()]
