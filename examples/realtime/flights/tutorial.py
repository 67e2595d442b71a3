"""`channels` and `channels_pubsub`: the consumer of the tutorial, with the two layers of channels_redis.

https://channels.readthedocs.io/en/stable/tutorial/part_3.html
"""

from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync
from boards.messages import Refused
from boards.serve import Receive, Send
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer

from . import rooms
from .configured import live_redis
from .drills import hold_joining
from .rooms import Change
from .tickets import admitted


class Display(AsyncWebsocketConsumer):  # type: ignore[misc] # no types are published
    """Send the state, then join the group."""

    async def connect(self) -> None:
        self.room = self.scope["room"]
        await self.accept()
        try:
            await admitted(self.scope, self.room)
        except Refused as refused:
            await self.close(*refused.end[:2])
            return
        if state := await database_sync_to_async(rooms.state)(self.room):
            await self.send(text_data=state.text)
        await hold_joining(live_redis)
        await self.channel_layer.group_add(self.room, self.channel_name)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002 -- as Channels calls it
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def changed(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["body"])


class PubSubDisplay(Display):
    channel_layer_alias = "pubsub"


async def listen(
    application: Any, scope: Mapping[str, Any], receive: Receive, send: Send, room: str
) -> None:
    """Serve with a consumer."""
    await application({**scope, "room": room}, receive, send)


def publish_to(alias: str, change: Change) -> None:
    """Send a change to the group, after the commit."""
    event = {"type": "changed", "body": change.body}
    async_to_sync(get_channel_layer(alias).group_send)(change.room, event)
