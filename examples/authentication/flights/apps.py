"""The Django application of the service: it brings the system checks."""

from django.apps import AppConfig


class FlightsConfig(AppConfig):
    name = "flights"

    def ready(self) -> None:
        from . import checks  # noqa: F401 -- importing registers them
