"""One reader, with the real Redis: what was cut is read on, and what was lost is doubted."""

import asyncio
import os

import pytest
from boards.hub import Hub
from boards.messages import Message, Position
from boards.reader import follow
from flights.configured import redis
from redis.asyncio import Redis


def tell(stream: str, *numbers: int) -> None:
    for seq in numbers:
        fields = {"room": "JFK", "epoch": "00000000", "seq": seq, "body": f"change {seq}"}
        redis.xadd(stream, fields)


async def read(_name: str) -> Message:
    return Message(Position("00000000", 9), "state 9")


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
def followed(stream):
    """Runs a test beside a reader of the stream, and gives it the hub."""

    def run(test) -> None:
        async def both():
            hub, caught_up = Hub(read), asyncio.Event()
            client = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
            following = asyncio.create_task(follow(client, stream, hub, caught_up))
            await asyncio.wait_for(caught_up.wait(), 20)
            try:
                await test(hub)
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                await client.aclose()

        asyncio.run(both())

    return run


def known(hub: Hub) -> list[int]:
    return [each.position.seq for each in hub.rooms["JFK"].ring] if "JFK" in hub.rooms else []


def test_a_process_that_starts_knows_what_the_stream_holds(stream, followed):
    tell(stream, 1, 2, 3)

    async def test(hub):
        assert known(hub) == [1, 2, 3]

    followed(test)


@pytest.mark.report(
    "django/channels_redis#62",
    "with hundreds of members a group's messages are sent one by one, and up to half are dropped",
    "a process reads a change once, however many listen; cut, it goes on behind what it has read",
)
def test_what_comes_while_the_connection_is_cut_is_read_afterwards(stream, followed):
    async def test(hub):
        for seq in range(1, 6):
            redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            tell(stream, seq)
            await until(lambda seq=seq: known(hub) == list(range(1, seq + 1)))

    followed(test)


def test_a_redis_that_lost_the_stream_makes_every_room_read_its_state_again(stream, followed):
    tell(stream, 1)

    async def test(hub):
        listener = hub.join("JFK", Position("00000000", 1))
        redis.delete(stream)  # and with it 2 to 9, which were told before
        redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        messages = await asyncio.wait_for(listener.take(), 20)
        assert [each.text for each in messages] == ["state 9"]

    followed(test)
