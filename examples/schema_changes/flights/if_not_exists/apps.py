"""The Django application of this way."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "flights.if_not_exists"
    label = "if_not_exists"
