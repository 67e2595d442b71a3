"""The Django application of the limiter: it brings system checks and a command."""

from django.apps import AppConfig


class LimiterConfig(AppConfig):
    name = "limiter"

    def ready(self) -> None:
        from . import checks  # noqa: F401 -- importing registers them
