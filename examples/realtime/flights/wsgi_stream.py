"""`wsgi_stream`: Server-Sent Events from a view, and a thread for as long as somebody listens."""

from collections.abc import Iterator

from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_GET

from . import rooms
from .configured import redis


@require_GET
def events(_request: HttpRequest, room: str) -> StreamingHttpResponse:
    """GET: a stream that a thread of the process `web` sends."""
    return StreamingHttpResponse(_lines(room), content_type="text/event-stream")


def _lines(room: str) -> Iterator[str]:
    if state := rooms.state(room):
        yield f"data: {state.text}\n\n"
    with redis.pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]
        pubsub.subscribe(f"loop:{room}")  # published as there
        while True:
            if message := pubsub.get_message(timeout=15):
                yield f"data: {message['data']}\n\n"
            else:
                yield ": still here\n\n"
