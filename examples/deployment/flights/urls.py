"""The flight API: the same for every way of operating it."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.index),
    path("airports/<str:code>/", views.board),
    path("airports/<str:code>/export/", views.export),
    path("bookings/", views.bookings),
]
