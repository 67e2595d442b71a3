"""Measures what one process tells 400 clients: the solution beside its peers, in one run.

Other machines give other milliseconds; what holds are commands, bytes and ratios. The clients are a process
of their own. `make bench EXAMPLE=realtime` sees to PostgreSQL, Redis and the example on PYTHONPATH.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from footing import redis_server
from outcome import Cell, Measured, versions
from redis import Redis
from websockets.asyncio.client import connect

ROOM = "JFK"
SOCKETS = "ws://{host}/api/{way}/rooms/{room}/socket"
# The address at which a way is listened to: over a WebSocket, or as Server-Sent Events.
WAYS = {
    "channels": SOCKETS,
    "channels_pubsub": SOCKETS,
    "boards": SOCKETS,
    "django_eventstream (SSE)": "http://{host}/?channel={room}",
    "boards (SSE)": "http://{host}/api/boards/rooms/{room}/events",
}
CLIENTS, CHANGES, PER_SECOND = 400, 24, 4
COLUMNS = ("way", "p50 ms", "p95 ms", "heard", "commands", "KiB out of Redis", "KiB for a client")
PACKAGES = (
    "django",
    "uvicorn",
    "channels",
    "channels-redis",
    "django-eventstream",
    "redis",
    "websockets",
)
READY_SECONDS = 60
# So many come at once: the layers of Channels have a hundred connections to Redis, and raise for one more.
AT_ONCE = 20


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the fan-out of one process.")
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    parser.add_argument("--listen", help="be the clients at this address, and print what they hear")
    asked = parser.parse_args()
    if asked.listen:
        asyncio.run(listen(asked.listen))
        return 0
    server = redis_server(os.environ.get("REDIS_URL", ""))
    measured = run()
    measured.show(f"One process tells {CLIENTS} clients {CHANGES} changes")
    if asked.output:
        measured.write(asked.output, versions(server, PACKAGES))
    return 0


def run() -> Measured:
    (example,) = (path for path in sys.path if (Path(path) / "manage.py").exists())
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "prepare"], cwd=example, check=True, capture_output=True)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    pump = subprocess.Popen([*manage, "pump"], cwd=example)
    try:
        found = {way: measured(way, example) for way in WAYS}
    finally:
        pump.terminate()
        pump.wait()
    return Measured(COLUMNS, [[way, *cells(each)] for way, each in found.items()], [*goals(found)])


def measured(way: str, example: str) -> Mapping[str, float]:
    """Tell the clients of a process of its own, and count what that takes."""
    redis: Redis = Redis.from_url(os.environ["REDIS_URL"])
    with serving(example, way) as (port, process):
        empty = resident(process)
        address = WAYS[way].format(host=f"127.0.0.1:{port}", way=way, room=ROOM)
        command = [sys.executable, __file__, "--listen", address]
        clients = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if clients.stdout is None or clients.stdout.readline() != "listening\n":
            raise SystemExit(f"{way}: the clients do not listen")
        time.sleep(1)  # a group is joined after the state was sent
        full = resident(process)
        before: Any = redis.info()
        told = [tell(way, number) for number in range(CHANGES)]
        heard: Mapping[str, Sequence[float]] = json.loads(clients.stdout.readline())
        after: Any = redis.info()
        clients.wait()
    late = sorted(at - told[int(gate)] for gate, moments in heard.items() for at in moments)
    return {
        "p50": median(late) * 1000,
        "p95": late[len(late) * 95 // 100] * 1000,
        "heard": len(late),
        # Of the last command, INFO itself.
        "commands": (after["total_commands_processed"] - before["total_commands_processed"] - 1)
        / CHANGES,
        "sent": (after["total_net_output_bytes"] - before["total_net_output_bytes"])
        / CHANGES
        / 1024,
        "memory": (full - empty) / CLIENTS,
    }


@contextmanager
def serving(example: str, way: str) -> Iterator[tuple[int, int]]:
    """Serve with one process; yield its port and its number."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--port", str(port), "--ws-per-message-deflate", "false", "--log-level", "warning"]
    options += ["--workers", "1"]  # by default as many as WEB_CONCURRENCY says
    options += ["--app-dir", str(Path(__file__).parent)]
    application = "realtime_peers" if is_peer(way) else "config.asgi"
    command = [sys.executable, "-m", "uvicorn", *options, f"{application}:application"]
    process = subprocess.Popen(command, cwd=example)
    try:
        end = time.monotonic() + READY_SECONDS
        while not answers(port):
            if time.monotonic() > end:
                raise SystemExit("the process does not answer")
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    """Whether the process listens, which it does once it has started whole."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def is_peer(way: str) -> bool:
    return way.startswith("django_eventstream")


def resident(process: int) -> float:
    """Return the memory of a process, in KiB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def tell(way: str, number: int) -> float:
    """Change the gate as the process `web` does, and return when that was asked for."""
    from flights import rooms
    from flights.variants import BY_NAME

    time.sleep(1 / PER_SECOND)
    asked = {"flight": "AA1141", "gate": str(number), "remark": ""}
    if is_peer(way):
        from realtime_peers import publish

        began = time.monotonic()
        if change := rooms.change(ROOM, asked, outbox=False):
            publish(ROOM, change.body)
        return began
    began, variant = time.monotonic(), BY_NAME[way.split()[0]]
    change = rooms.change(ROOM, asked, outbox=not variant.publish)
    if change and variant.publish:
        variant.publish(change)
    return began


async def listen(address: str) -> None:
    """Print `listening` once all have the state; then, of each gate, when each client has heard of it."""
    heard: dict[str, list[float]] = {str(number): [] for number in range(CHANGES)}
    joined, turns = 0, asyncio.Semaphore(AT_ONCE)

    async def client() -> None:
        nonlocal joined
        await turns.acquire()
        async with aclosing(said_at(address)) as said:
            await anext(said)
            turns.release()
            joined += 1
            if joined == CLIENTS:
                print("listening", flush=True)
            for _ in range(CHANGES):
                event = json.loads(await anext(said))["event"]
                heard[event["gate"]].append(time.monotonic())

    with suppress(TimeoutError):  # a layer may have lost some
        async with asyncio.timeout(READY_SECONDS), asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(client())
    print(json.dumps(heard), flush=True)


async def said_at(address: str) -> AsyncGenerator[bytes]:
    """Yield what a client hears: first that it has joined, then each change."""
    asked = urlsplit(address)
    if asked.scheme == "ws":
        async with connect(address, compression=None, max_queue=None) as connection:
            while True:
                yield await connection.recv(decode=False)
    reader, writer = await asyncio.open_connection(asked.hostname, asked.port)
    path = asked._replace(scheme="", netloc="").geturl()
    with closing(writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {asked.netloc}\r\n\r\n".encode())
        async for line in reader:
            if line.startswith(b"data:"):
                yield line.removeprefix(b"data:")


def cells(found: Mapping[str, float]) -> list[Cell]:
    return [
        round(found["p50"]),
        round(found["p95"]),
        int(found["heard"]),
        *(round(found[name], 1) for name in ("commands", "sent", "memory")),
    ]


def goals(found: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[bool, str]]:
    boards = found["boards"]
    yield boards["heard"] == CLIENTS * CHANGES, f"all changes are heard: {boards['heard']:,.0f}"
    yield boards["commands"] <= 3, f"at most 3 commands a change: {boards['commands']:.1f}"
    ratio = boards["p95"] / found["channels"]["p95"]
    yield ratio <= 0.7, f"p95 at most 0.7 of that of the core layer: {ratio:.2f}"


if __name__ == "__main__":
    sys.exit(main())
