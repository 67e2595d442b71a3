"""`wsgi_stream`: Server-Sent Events from a view, and a thread for as long as somebody listens."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse

from . import rooms
from .configured import redis
from .rooms import Change


def publish(change: Change) -> None:
    redis.publish(f"wsgi:{change.room}", change.body)


def events(room: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(_lines(room), content_type="text/event-stream")


def _lines(room: str) -> Iterator[str]:
    if state := rooms.state(room):
        yield f"data: {state.text}\n\n"
    with redis.pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]
        pubsub.subscribe(f"wsgi:{room}")
        while True:
            if message := pubsub.get_message(timeout=15):
                yield f"data: {message['data']}\n\n"
            else:
                yield ": still here\n\n"
