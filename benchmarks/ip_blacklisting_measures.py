"""How long four processes take to hear of a change."""

import multiprocessing
import time
import uuid
from collections.abc import Callable
from multiprocessing.connection import Connection
from statistics import median, quantiles
from typing import Any, Literal

from redis import Redis

PROCESSES = 4
CHANGES = 200
PAUSE_SECONDS = 0.02
POLL_SECONDS = 1.0

type Way = Literal["stream", "pubsub", "poll"]


def stream(store: Any, name: str, heard: Callable[[int], None]) -> None:
    last = "0"
    while True:
        for _, entries in store.xread({name: last}, block=1_000) or ():
            for identifier, fields in entries:
                heard(int(fields[b"n"]))
                last = identifier


def pubsub(store: Any, name: str, heard: Callable[[int], None]) -> None:
    channel = store.pubsub(ignore_subscribe_messages=True)
    channel.subscribe(name)
    for message in channel.listen():
        heard(int(message["data"]))


def poll(store: Any, name: str, heard: Callable[[int], None]) -> None:
    known = 0
    while True:
        for entry in store.lrange(name, known, -1):
            known += 1
            heard(int(entry))
        time.sleep(POLL_SECONDS)


LISTENERS = {"stream": stream, "pubsub": pubsub, "poll": poll}


def listen(url: str, way: Way, name: str, pipe: Connection) -> None:
    """Note when each change was heard; the clock is the machine's, the same in all processes."""
    store = Redis.from_url(url)
    pipe.send("listening")

    def heard(number: int) -> None:
        pipe.send((number, time.monotonic()))

    LISTENERS[way](store, name, heard)


def propagation_ms(url: str, way: Way) -> tuple[float, float]:
    """Return the 50th and 99th percentile of what passes until a process has heard of a change."""
    name = f"bench:{way}:{uuid.uuid4().hex[:8]}"
    spawn = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(PROCESSES):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=listen, args=(url, way, name, theirs), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()
    store: Any = Redis.from_url(url)
    while way == "pubsub" and dict(store.pubsub_numsub(name))[name.encode()] < PROCESSES:
        time.sleep(0.01)
    sent = []
    for number in range(CHANGES):
        sent.append(time.monotonic())
        if way == "stream":
            store.xadd(name, {"n": number})
        elif way == "pubsub":
            store.publish(name, number)
        else:
            store.rpush(name, number)
        time.sleep(PAUSE_SECONDS)
    took = []
    for pipe in pipes:
        for _ in range(CHANGES):
            number, when = pipe.recv()
            took.append(1000 * (when - sent[number]))
    for process in processes:
        process.terminate()
        process.join()
    store.delete(name)
    return median(took), quantiles(took, n=100)[98]
