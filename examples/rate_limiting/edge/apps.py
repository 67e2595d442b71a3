"""The Django application that limits: it brings system checks and a command."""

from django.apps import AppConfig


class EdgeConfig(AppConfig):
    name = "edge"

    def ready(self) -> None:
        from . import checks  # noqa: F401 -- importing registers them
