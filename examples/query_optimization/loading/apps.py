"""The Django application that fills the tables: its commands."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "loading"
