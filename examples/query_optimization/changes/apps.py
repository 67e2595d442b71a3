"""The Django application of the changes: its commands."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "changes"
