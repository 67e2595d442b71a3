"""The variants: the loop, what is commonly installed, the stream of a view, and the solution last."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from boards.serve import Receive, Send
from django.conf import settings

from . import live, loop, tutorial
from .rooms import Change

type Listen = Callable[[Mapping[str, Any], Receive, Send, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way.

    Attributes:
        publish: called after the commit of a change; without it, the outbox tells what was committed.
        listen: serves a WebSocket, and perhaps a stream of events, in the process `live`; without it, `web`
            serves a stream of events.
    """

    name: str
    about: str
    publish: Callable[[Change], None] | None = None
    listen: Listen | None = None


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "loop",
        "publish after the commit, and a loop over the sockets of the room",
        loop.publish,
        loop.listen,
    ),
    Variant("wsgi_stream", "events from a view, a thread for each who listens", loop.publish),
    Variant(
        "channels_pubsub",
        "the tutorial of Channels, with the pub/sub layer of channels_redis",
        partial(tutorial.publish_to, "pubsub"),
        partial(tutorial.listen, tutorial.PubSubDisplay.as_asgi()),
    ),
    Variant(
        "channels",
        "the tutorial of Channels, with the core layer of channels_redis",
        partial(tutorial.publish_to, "default"),
        partial(tutorial.listen, tutorial.Display.as_asgi()),
    ),
    Variant(
        "boards",
        "a position for each change, an outbox, one reader, a ring for each room, and resuming",
        listen=live.listen,
    ),
)
if settings.MINE:  # the reader's own: "Now you" in README.md
    mine = import_module(settings.MINE)
    publish = None if mine.OUTBOX else mine.publish
    VARIANTS += (Variant("mine", "your own", publish, mine.listen),)
BY_NAME: Mapping[str, Variant] = {each.name: each for each in VARIANTS}
