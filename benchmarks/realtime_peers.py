"""django-eventstream as its page sets it up for several processes: a view over ASGI, with Redis between."""

import json
import os

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from redis.connection import parse_url

settings.EVENTSTREAM_REDIS = parse_url(os.environ["REDIS_URL"])
settings.ROOT_URLCONF = "django_eventstream.urls"
settings.MIDDLEWARE = []
django.setup()

from django_eventstream import send_event  # noqa: E402 -- it reads the settings above

application = ASGIHandler()


def publish(room: str, body: str) -> None:
    send_event(room, "message", json.loads(body))
