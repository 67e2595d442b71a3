"""The API: each variant at its own path."""

from django.urls import path

from .views import index, table

urlpatterns = [path("", index), path("<slug:variant>/", table)]
