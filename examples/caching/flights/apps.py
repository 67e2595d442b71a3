"""The Django application: it connects what has to hear of changes."""

from django.apps import AppConfig


class FlightsConfig(AppConfig):
    name = "flights"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, invalidation  # noqa: F401 -- importing registers and connects them
