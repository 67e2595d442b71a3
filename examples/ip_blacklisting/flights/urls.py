"""The flight API: each variant at its own path."""

from django.urls import include, path, register_converter
from django.urls.converters import StringConverter

from . import views
from .variants import VARIANTS


class VariantConverter(StringConverter):
    regex = "|".join(VARIANTS)


register_converter(VariantConverter, "variant")
variant = [
    path("airports/<str:code>/", views.airport),
    path("bans/", views.bans),
    path("feeds/<slug:name>/", views.feeds),
    path("matches/", views.matches),
    path("state/", views.state),
]
urlpatterns = [path("", views.index), path("<variant:variant>/", include(variant))]
