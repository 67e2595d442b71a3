"""The flight API: each variant at its own path."""

from django.urls import include, path, register_converter
from django.urls.converters import StringConverter

from . import views
from .variants import VARIANTS


class VariantConverter(StringConverter):
    regex = "|".join(VARIANTS)


register_converter(VariantConverter, "variant")
of_variant = [
    path("airports/<str:code>/", views.airport),
    path("login/", views.login),
    path("findings/", views.findings),
]
urlpatterns = [path("", views.index), path("<variant:variant>/", include(of_variant))]
