"""The Django application of this way."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "flights.in_place"
    label = "in_place"
