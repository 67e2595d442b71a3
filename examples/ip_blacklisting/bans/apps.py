"""Registers the system checks."""

from django.apps import AppConfig


class BansConfig(AppConfig):
    name = "bans"

    def ready(self) -> None:
        from . import checks  # noqa: F401 -- registers them
