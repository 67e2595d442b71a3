"""The claims of this example, and what they share: rooms, desks that change them, and displays.

A display does what a good client does: it keeps the position of what it has heard last, comes back
with it, and waits as long as it was told. What is judged is counted.
"""

import asyncio
import json
import random
import re
import socket as sockets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psycopg
import redis

from nexus.experiment import Answer, Experiment, ExperimentError, Request, Stack, ask, rest, until

CLAIMS = (
    "nothing-is-lost-on-the-way",
    "joining-misses-nothing",
    "the-last-word-is-the-newest",
    "a-slow-reader-harms-nobody",
    "revoked-is-cut-off",
    "listeners-take-no-threads",
    "a-deploy-is-no-stampede",
    "one-reader-for-all",
)
BEGINS_AS = "loop"  # exercises/mine.py, where a reader begins

PATIENCE_SECONDS = 180  # on a busy machine; tells "answered" from "hung"
# Of a way that loses what it tells: nothing came to anybody for so long, and nothing will.
QUIET_SECONDS = 3
OF_THE_EXPERIMENT = "experiment"  # name of its connections to Redis
LETTERS = "ABCDFGHIKMNOPQRSTUVWXYZ"  # without the first of EWR, JFK and LGA, which are there


@contextmanager
def rooms(stack: Stack, count: int = 1, *, private: bool = False) -> Iterator[list[str]]:
    """Make rooms with one flight each, and take them away at the end of the block.

    No name comes twice: of a room that was taken away, `live` keeps its changes for a while.
    """
    wait_for_live(stack)
    first: Any = store(stack).incrby("drill:rooms", count)
    names = [_name(first - place, private=private) for place in range(count)]
    with psycopg.connect(stack.services["postgres"], autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.executemany(
            "INSERT INTO flights_room (name, epoch, seq) VALUES (%s, md5(random()::text)::varchar(8), 0)",
            [[name] for name in names],
        )
        cursor.executemany(
            "INSERT INTO flights_flight (room_id, number, departs, gate, remark)"
            " VALUES (%s, 'AA1', now(), '', '')",
            [[name] for name in names],
        )
        try:
            yield names
        finally:
            for table in ("session", "flight"):
                query = f"DELETE FROM flights_{table} WHERE room_id = ANY(%s)"  # noqa: S608 -- from above
                connection.execute(query.encode(), [names])
            connection.execute("DELETE FROM flights_room WHERE name = ANY(%s)", [names])


def _name(number: int, *, private: bool) -> str:
    name = "".join(LETTERS[number // len(LETTERS) ** place % len(LETTERS)] for place in range(3))
    return f"{name}000" if private else name


def wait_for_live(stack: Stack) -> None:
    """Return once the processes that tell answer: a stack waits for `web` alone."""
    if not until(lambda: ask(f"{stack.services['live']}/healthz").status == 200, PATIENCE_SECONDS):
        raise ExperimentError("the process `live` does not answer")


def store(stack: Stack) -> redis.Redis:
    client: redis.Redis = redis.Redis.from_url(
        stack.services["redis"], decode_responses=True, client_name=OF_THE_EXPERIMENT
    )
    return client


def change(stack: Stack, variant: str, room: str, gate: str = "A1", remark: str = "") -> Answer:
    """Change the flight of a room, as a desk does."""
    said = {"flight": "AA1", "gate": gate, "remark": remark}
    body = json.dumps(said, ensure_ascii=False).encode()
    headers = {"Authorization": f"Bearer {stack.staff_token}"}
    return ask(Request(f"{stack.url}/api/{variant}/rooms/{room}/", headers, "POST", body), None, 30)


@contextmanager
def desk(work: Callable[[int], object], count: int, per_second: float) -> Iterator[threading.Event]:
    """Do `work` so many times at that pace, while the block runs; the event tells that all is done."""
    done, over = threading.Event(), threading.Event()

    def all_of_it() -> None:
        begun = time.monotonic()
        for number in range(count):
            if over.wait(max(0, begun + number / per_second - time.monotonic())):
                return
            work(number)
        done.set()

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(all_of_it)
        try:
            yield done
        finally:
            over.set()
    job.result()


class Display:
    """One client, over a WebSocket.

    Attributes:
        once: whether it stays away once it was sent away.
        gate: what it shows.
        seq: of the last change that it knows.
        missed: changes that it was never told of, though it was told of a later one.
        twice: changes that it was told of again, or after a later one.
        came: when it tried to connect.
        closed: when it was sent away, with the code; 1006 is none.
    """

    def __init__(self, address: str, *, once: bool = False) -> None:
        self.address = address
        self.once = once
        self.gate = ""
        self.connected = False
        self.position = ""
        self.seq = -1
        self.missed = self.twice = self.heard = self.states = 0
        self.came: list[float] = []
        self.closed: list[tuple[float, int]] = []
        self.joined = False
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def stay(self, http: aiohttp.ClientSession) -> None:
        """Listen, and come back, until it is cancelled."""
        while True:
            self.came.append(time.monotonic())
            wait = random.uniform(4, 8)  # nobody answers
            with suppress(aiohttp.ClientError, OSError):
                async with http.ws_connect(self.asked(), max_msg_size=0) as self._socket:
                    self.connected = True
                    wait = await self._listen(self._socket) or random.uniform(0.1, 0.5)
            if self.once:
                return
            await asyncio.sleep(wait)

    def asked(self) -> str:
        """Return the address, with what it has heard last."""
        return self.address + (f"?since={self.position}" if self.position else "")

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> float:
        """Listen until the end, and return how many seconds it was told to stay away."""
        while True:
            message = await socket.receive()
            if message.type != aiohttp.WSMsgType.TEXT:
                code = message.data if message.type == aiohttp.WSMsgType.CLOSE else 1006
                self.closed.append((time.monotonic(), code))
                told = re.search(r"in (\d+) ms", message.extra or "")
                return int(told[1]) / 1000 if told else 0
            self.hear(message.data)

    def hear(self, text: str) -> None:
        said = json.loads(text)
        position, event = said["at"], "event" in said
        seq = int(position.rpartition(".")[2])
        self.joined = True
        self.gate = said["event"]["gate"] if event else said["state"][0]["gate"]
        self.heard += event
        self.states += not event
        if self.seq >= 0:
            self.twice += event and seq <= self.seq
            self.missed += max(0, seq - self.seq - event)
        if seq >= self.seq:
            self.seq, self.position = seq, position

    def cut(self) -> None:
        """Lose the connection, as a network does."""
        if self._socket and not self._socket.closed:
            with suppress(OSError):
                self._socket.get_extra_info("socket").shutdown(2)


@contextmanager
def displays(
    addresses: Sequence[str], *, once: bool = False, apart_seconds: float = 0
) -> Iterator[list[Display]]:
    """Let a display stay at each address until the end of the block.

    Args:
        apart_seconds: between two that come; a process takes all who come at once.
    """
    made = [Display(address, once=once) for address in addresses]
    loop = asyncio.new_event_loop()

    async def all_of_them() -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as group:
            for each in made:
                group.create_task(each.stay(http))
                await asyncio.sleep(apart_seconds)

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(staying)

    staying = loop.create_task(all_of_them())
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(staying.cancel)
        thread.join()
        loop.close()


def socket(stack: Stack, variant: str, room: str) -> str:
    """Return where a room is listened to."""
    live = stack.services["live"].replace("http", "ws", 1)
    return f"{live}/api/{variant}/rooms/{room}/socket"


def patience(experiment: Experiment, variant: str) -> float:
    """Return how many seconds of silence tell that nothing will come any more."""
    return PATIENCE_SECONDS if variant in experiment.holds else QUIET_SECONDS


def all_joined(made: Sequence[Display], seconds: float = PATIENCE_SECONDS) -> None:
    if not until(lambda: all(each.joined for each in made), seconds):
        there = sum(each.joined for each in made)
        raise ExperimentError(f"{there} of {len(made)} displays have heard anything")


def settled(made: Sequence[Display], count: int, quiet_seconds: float) -> Iterator[None]:
    """Go on until each has heard so many changes, or nobody has heard any for a while."""
    heard, since = -1, time.monotonic()
    while min(each.heard for each in made) < count and time.monotonic() < since + quiet_seconds:
        if (now := sum(each.heard for each in made)) != heard:
            heard, since = now, time.monotonic()
        yield
        rest(0.2)


@contextmanager
def held_joining(stack: Stack, most: int) -> Iterator[Callable[[], None]]:
    """Hold whoever joins; what is yielded returns once `most` are held, or no more come to be held."""
    client, key = store(stack), "drill:joining"
    client.set(key, 0)

    def settle() -> None:
        before, since = -1, time.monotonic()

        def settled() -> bool:
            nonlocal before, since
            if (waiting := int(client.get(key) or 0)) != before:
                before, since = waiting, time.monotonic()
            # One may wait for all of its process; a way of your own may have no such moment.
            return waiting >= most or time.monotonic() > since + (1 if waiting else 10)

        if not until(settled, PATIENCE_SECONDS):
            raise ExperimentError("nobody waits to join")

    try:
        yield settle
    finally:
        client.delete(key)


def cut_off(client: redis.Redis) -> None:
    """Cut every connection to Redis."""
    for kind in ("normal", "pubsub"):
        client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")


def sent(request: Request) -> sockets.socket:
    """Send a request, and read nothing: what comes may never end."""
    parts, body = urlsplit(request.url), request.body
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    said = {"Host": parts.netloc, "Content-Length": str(len(body)), **request.headers}
    lines = [f"{request.method} {path} HTTP/1.1", *(f"{name}: {said[name]}" for name in said)]
    connection = sockets.create_connection((parts.hostname, parts.port), PATIENCE_SECONDS)
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return connection


def pumped(stack: Stack) -> None:
    """Return once the outbox is empty."""
    with psycopg.connect(stack.services["postgres"], autocommit=True) as connection:
        query = "SELECT count(*) FROM flights_outbox"
        if not until(lambda: number(connection, query) == 0, PATIENCE_SECONDS):
            raise ExperimentError("the outbox stays full")


def number(connection: "psycopg.Connection[Any]", query: str, *args: object) -> int:
    """Return the one number that `query` answers."""
    row = connection.execute(query.encode(), args).fetchone()
    if row is None:
        raise ExperimentError(f"no row from: {query}")
    return int(row[0])
