"""Registers the system checks."""

from django.apps import AppConfig


class BansConfig(AppConfig):
    name = "bans"
    verbose_name = "Bans"

    def ready(self) -> None:
        from bans import checks  # noqa: F401 -- registers them
