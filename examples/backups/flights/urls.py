"""The API: each variant at its own path."""

from django.urls import path

from .views import bookings, index

urlpatterns = [path("", index), path("<slug:variant>/bookings/", bookings)]
