"""The API: each variant at its own path."""

from django.urls import path

from .variants import VARIANTS
from .views import index

urlpatterns = [path("", index), *(path(f"{each.name}/", each.view) for each in VARIANTS)]
