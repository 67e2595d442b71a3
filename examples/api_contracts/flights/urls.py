"""The API: each variant at its own path, with its contract as a document and as two pages."""

from collections.abc import Iterator
from typing import Any

from django.urls import include, path
from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularRedocView,
    SpectacularSwaggerView,
)

from .variants import VARIANTS, Variant
from .views import document, index


def routes(variant: Variant) -> Iterator[Any]:
    """Yield its API, its contract (`schema/`), Swagger UI (`docs/`) and ReDoc (`redoc/`)."""
    root = f"{variant.name}/"
    yield path(root, include((variant.urlpatterns, variant.name)))
    if variant.release:
        yield path(f"{root}schema/", document, {"variant": variant})
    else:
        own = [path(f"api/{root}", include((variant.urlpatterns, variant.name)))]
        yield path(f"{root}schema/", SpectacularJSONAPIView.as_view(patterns=own))
    schema = f"/api/{root}schema/"
    yield path(f"{root}docs/", SpectacularSwaggerView.as_view(url=schema))
    yield path(f"{root}redoc/", SpectacularRedocView.as_view(url=schema))


urlpatterns = [path("", index), *(route for each in VARIANTS for route in routes(each))]
