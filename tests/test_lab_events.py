"""The event log: order, resume, snapshots, many followers."""

import asyncio
import json

from nexus.lab import events
from nexus.lab.events import EventLog


def parsed(chunk):
    fields = dict(line.split(": ", 1) for line in chunk.strip().split("\n"))
    return fields["id"], fields["event"], json.loads(fields["data"])


async def read(log, count, last_id=""):
    found = []
    async for chunk in log.follow(last_id, lambda: {"state": "now"}):
        found.append(parsed(chunk))
        if len(found) == count:
            return found
    return found


async def following(log, count):
    """Wait until so many have read the beginning, and wait for more."""
    async with asyncio.timeout(20):
        while len(log._followers) < count:
            await asyncio.sleep(0)


def test_a_new_reader_gets_a_snapshot_and_then_what_happens():
    async def scenario():
        log = EventLog()
        log.append("run", 1)
        reading = asyncio.create_task(read(log, 2))
        await following(log, 1)
        log.append("run", 2)
        return await reading

    first, second = asyncio.run(scenario())

    assert first[1:] == ("snapshot", {"state": "now"})
    assert second[1:] == ("run", 2)


def test_a_reader_that_comes_back_gets_what_it_missed_and_nothing_twice():
    async def scenario():
        log = EventLog()
        for number in range(5):
            log.append("run", number)
        return await read(log, 3, last_id=f"{log.boot}-2")

    assert [event[1:] for event in asyncio.run(scenario())] == [("run", 2), ("run", 3), ("run", 4)]


def test_a_reader_of_another_lab_or_from_too_long_ago_gets_a_snapshot(monkeypatch):
    monkeypatch.setattr(events, "KEPT", 3)

    async def scenario():
        log = EventLog()
        log._events = type(log._events)(maxlen=3)
        for number in range(9):
            log.append("run", number)
        ids = ["deadbeef-8", f"{log.boot}-2", f"{log.boot}-99", f"{log.boot}-x", "nonsense"]
        return [(await read(log, 1, last_id))[0][1] for last_id in ids]

    assert asyncio.run(scenario()) == ["snapshot"] * 5


def test_every_reader_gets_every_event_in_order_from_many_threads():
    async def scenario():
        log = EventLog()
        readers = [asyncio.create_task(read(log, 101)) for _ in range(5)]
        await following(log, 5)
        writers = [
            asyncio.to_thread(lambda: [log.append("run", number) for number in range(25)])
            for _ in range(4)
        ]
        await asyncio.gather(*writers)
        return await asyncio.gather(*readers)

    streams = asyncio.run(scenario())

    assert all(stream[0][1] == "snapshot" for stream in streams)
    numbers = [[int(event[0].split("-")[1]) for event in stream[1:]] for stream in streams]
    assert numbers == [list(range(1, 101))] * 5


def test_closing_ends_every_stream():
    async def scenario():
        log = EventLog()
        reading = asyncio.create_task(read(log, 99))
        await following(log, 1)
        log.close()
        return await asyncio.wait_for(reading, 20)

    assert len(asyncio.run(scenario())) == 1


def test_a_silent_stream_says_that_it_lives(monkeypatch):
    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.05)

    async def scenario():
        log = EventLog()
        stream = log.follow("", dict)
        await anext(stream)
        return await anext(stream)

    assert asyncio.run(scenario()) == ": still here\n\n"
