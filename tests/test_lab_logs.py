"""The end of a log: whole lines, of a file of any length at the price of a block."""

import asyncio
import json
import threading
import tracemalloc

from nexus.lab import logs
from nexus.lab.logs import BLOCK_BYTES, LINES, further


def first_event(path):
    async def read():
        stream = logs.tail(path, threading.Event())
        event = await anext(stream)
        await stream.aclose()
        return json.loads(event.removeprefix("data: "))

    return asyncio.run(read())


def test_a_log_of_three_hundred_megabytes_costs_a_block(tmp_path):
    log = tmp_path / "web.log"
    with log.open("wb") as written:
        written.truncate(300_000_000)
        written.seek(0, 2)
        written.write(b"\n" + b"".join(b"line %d\n" % number for number in range(9000)))
    tracemalloc.start()
    lines = first_event(log)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lines == [f"line {number}" for number in range(9000 - LINES, 9000)]
    assert peak < 20 * BLOCK_BYTES


def test_one_line_that_is_longer_than_a_block_is_cut(tmp_path):
    log = tmp_path / "web.log"
    log.write_bytes(b"x" * 3 * BLOCK_BYTES)

    assert len(first_event(log)[0]) == BLOCK_BYTES


def test_what_comes_is_read_once_and_in_whole_lines(tmp_path):
    log = tmp_path / "web.log"
    assert further(log, 0) == ([], 0)
    log.write_text("one\ntw")
    lines, position = further(log, 0)
    assert (lines, position) == (["one"], 4)
    assert further(log, position) == ([], 4)
    log.write_text("one\ntwo\n\nfour\n")
    lines, position = further(log, position)

    assert (lines, position) == (["two", "", "four"], 14)
    assert further(log, position) == ([], 14)


def test_a_burst_begins_with_a_whole_line(tmp_path):
    log = tmp_path / "web.log"
    log.write_text("first\n")
    _, position = further(log, 0)
    with log.open("a") as written:
        written.writelines(f"line {number}\n" for number in range(20_000))
    lines, position = further(log, position)

    assert lines[-1] == "line 19999"
    assert lines[0].startswith("line ")
    assert position == log.stat().st_size


def test_a_log_that_begins_anew_is_read_from_its_beginning(tmp_path):
    log = tmp_path / "web.log"
    log.write_text("a long line of the first run\n")
    _, position = further(log, 0)
    log.write_text("anew\n")

    assert further(log, position) == (["anew"], 5)
