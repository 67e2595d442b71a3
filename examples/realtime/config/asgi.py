"""The ASGI entry point: what tells clients while they wait; WSGI processes do all else."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from flights.routes import application as application  # noqa: E402 -- it loads models
