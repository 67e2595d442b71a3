"""The paths of the process `live`, as plain ASGI: no body is read, and nothing is kept of who is refused."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from boards.messages import Refused
from boards.serve import Receive, Send
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from . import live
from .asked import ROOM
from .variants import BY_NAME

PATH = re.compile(rf"/api/(?P<variant>[a-z_]+)/rooms/(?P<room>{ROOM})/(?P<how>socket|events)")
BOARD = (Path(__file__).parent / "board.html").read_bytes()
STATUS = {4400: 400, 4401: 401, 4404: 404, 1013: 503, 1012: 503}


async def application(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await live.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        if not await _listened(scope, receive, send, "socket"):
            await send({"type": "websocket.close"})  # the handshake is answered with 403
    elif scope["path"] == "/healthz":
        await _answer(send, 200, process=os.getpid())
    elif _has_body(scope) or scope["method"] != "GET":
        await _answer(send, 405, title="GET, without a body")
    elif scope["path"] == "/board":
        await _send(send, 200, b"text/html; charset=utf-8", BOARD)
    else:
        try:
            if not await _listened(scope, receive, send, "events"):
                await _answer(send, 404, title="No such path; see /api/")
        except Refused as refused:
            await _answer(send, STATUS[refused.end.code], title=refused.end.reason)


async def _listened(scope: Mapping[str, Any], receive: Receive, send: Send, how: str) -> bool:
    """Serve who may listen there; False if nobody may."""
    found = PATH.fullmatch(scope["path"])
    way = BY_NAME.get(found["variant"]) if found and found["how"] == how else None
    headers = dict(scope["headers"])
    if not found or not way or not way.listen or not _own(headers):
        return False
    await way.listen(scope, receive, send, found["room"])
    return True


def _own(headers: Mapping[bytes, bytes]) -> bool:
    """Whether host and origin are this site's: a browser sends cookies with the handshake of any page."""
    said = [headers.get(name, b"").decode("latin-1") for name in (b"host", b"origin")]
    asked = said[:1] if b"origin" not in headers else [said[0], said[1].partition("://")[2]]
    hosts = [split_domain_port(each)[0] for each in asked]
    return all(host and validate_host(host, settings.ALLOWED_HOSTS) for host in hosts)


def _has_body(scope: Mapping[str, Any]) -> bool:
    headers = dict(scope["headers"])
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


async def _answer(send: Send, status: int, **said: object) -> None:
    body = json.dumps({"type": "about:blank", "status": status} | said).encode()
    kind = b"application/problem+json" if status > 200 else b"application/json"
    await _send(send, status, kind, body)


async def _send(send: Send, status: int, kind: bytes, body: bytes) -> None:
    """Answer, and close: a body that was announced is not waited for."""
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
