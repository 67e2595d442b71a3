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


def told_by_the_outbox(_: Change) -> None:
    """Do nothing: what tells a change was committed with it."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way.

    Attributes:
        publish: called after the commit of a change.
        outbox: whether a change is written into the outbox in its transaction.
        listen: serves a WebSocket, and perhaps a stream of events, in the process `live`; without it, `web`
            serves a stream of events.
    """

    name: str
    about: str
    publish: Callable[[Change], None] = told_by_the_outbox
    outbox: bool = False
    listen: Listen | None = None


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "loop",
        "publish after the commit, and a loop over the sockets of the room",
        loop.publish,
        listen=loop.listen,
    ),
    Variant(
        "wsgi_stream",
        "Server-Sent Events from a view, a thread for each who listens",
        loop.publish,
    ),
    Variant(
        "channels_pubsub",
        "the tutorial of Channels, with the pub/sub layer of channels_redis",
        partial(tutorial.publish_to, "pubsub"),
        listen=tutorial.listen(tutorial.PubSubDisplay),
    ),
    Variant(
        "channels",
        "the tutorial of Channels, with the core layer of channels_redis",
        partial(tutorial.publish_to, "default"),
        listen=tutorial.listen(tutorial.Display),
    ),
    Variant(
        "boards",
        "a position for each change, an outbox, one reader, a ring for each room, and resuming",
        outbox=True,
        listen=live.listen,
    ),
)
if settings.MINE:  # the reader's own: "Now you" in README.md
    mine = import_module(settings.MINE)
    VARIANTS += (Variant("mine", "your own", mine.publish, mine.OUTBOX, mine.listen),)
BY_NAME: Mapping[str, Variant] = {each.name: each for each in VARIANTS}
