"""The Django application of this way: it is there if a reader has written a variant."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "flights.own"
    label = "mine"
