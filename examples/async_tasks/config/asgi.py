"""The ASGI entry point: what tells clients of their jobs while they wait; WSGI processes do all else."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django: Any = get_asgi_application()

from reports.live import Conversation, Stream  # noqa: E402 -- it loads models

stream: Any = Stream.as_asgi()
conversation: Any = Conversation.as_asgi()
http: list[Any] = [path("api/jobs/<uuid:job>/events/", stream), re_path("", django)]
websocket: list[Any] = [path("api/jobs/<uuid:job>/talk/", conversation)]

routed: Any = ProtocolTypeRouter({"http": URLRouter(http), "websocket": URLRouter(websocket)})


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Refuse a body before it is read: nothing here takes one, and Django would keep all of it first."""
    headers = dict(scope.get("headers", ()))
    length = headers.get(b"content-length", b"0")
    if scope["type"] == "http" and (length != b"0" or b"transfer-encoding" in headers):
        refused = [(b"content-length", b"0"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": refused})
        await send({"type": "http.response.body"})
    else:
        await routed(scope, receive, send)
