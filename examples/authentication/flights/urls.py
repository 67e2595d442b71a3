"""The API: each variant below its own name."""

from django.urls import include, path

from .variants import VARIANTS
from .views import index

urlpatterns = [path("", index)] + [
    path(f"{variant.name}/", include((list(variant.urls), variant.name))) for variant in VARIANTS
]
