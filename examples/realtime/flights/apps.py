"""The Django application of the flights, with its system checks."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "flights"

    def ready(self) -> None:
        from . import checks  # noqa: F401 -- registers them
