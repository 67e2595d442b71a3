"""The Django application of this way."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "flights.expand_contract"
    label = "expand_contract"
