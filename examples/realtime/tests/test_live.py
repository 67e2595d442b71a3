"""The process `live`, as the Procfile serves it: bad input, tickets, foreign pages, and its end."""

import asyncio
import errno
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.db import connection
from flights import rooms
from flights.configured import live_redis, redis
from flights.tickets import Pass, issue, redeem
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from .conftest import free_port


@contextmanager
def serving(port: int, processes: int = 1, **more: str):
    """So many processes, on the tests' own database, with more in their environment."""
    url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"
    command = [sys.executable, "-m", "uvicorn", "--port", str(port), "--ws-max-size", "1024"]
    command += ["--ws-per-message-deflate", "false", "--timeout-graceful-shutdown", "3"]
    command += ["--log-level", "warning", "--workers", str(processes), "config.asgi:application"]
    hosts = {"ALLOWED_HOSTS": "127.0.0.1,[::1]"}
    environment = {**os.environ, "DATABASE_URL": url, **hosts, **more}
    process = subprocess.Popen(command, env=environment)
    try:
        deadline = time.monotonic() + 60
        while asked(port, "/healthz") is None and time.monotonic() < deadline:
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def asked(port: int, path: str, method="GET", body=None, headers=None, seconds=20):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        client.request(method, path, body, headers or {})
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())
    except ConnectionError:
        return None
    finally:
        client.close()


def is_open(port) -> bool:
    """Whether any process holds the port: one that ends resets connections while others still serve."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != errno.ECONNREFUSED


@pytest.fixture(scope="module")
def port(django_db_setup, django_db_blocker):  # noqa: ARG001 -- set up before
    number = free_port()
    with django_db_blocker.unblock(), serving(number):
        yield number


def listening(port, room, query="", **more):
    return connect(f"ws://127.0.0.1:{port}/api/boards/rooms/{room}/socket{query}", **more)


def code_of(listener) -> int:
    """Read to the end, and return with which code it came."""
    try:
        while True:
            listener.recv(20)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


@pytest.mark.parametrize("said", ["[" * 900, b"\x00" * 900, '{"gate": "A1"}'])
def test_whatever_a_client_says_is_not_read(port, room, said):
    with listening(port, room.name) as listener:
        listener.send(said)
        assert code_of(listener) == 4400


def test_a_huge_message_is_cut_off_before_it_is_kept(port, room):
    with listening(port, room.name) as listener:
        listener.send("x" * 2000)
        assert code_of(listener) == 1009


@pytest.mark.parametrize(
    ("where", "query", "code"),
    [
        ("ZZZ", "", 4404),
        ("JFK", "?since=17", 4400),
        ("JFK", "?since=0000000g.17", 4400),
        ("JFK", f"?since=00000000.{'9' * 30}", 4400),
        ("Q7XK2M", "", 4401),
        ("Q7XK2M", "?ticket=x", 4401),
    ],
)
def test_who_may_not_listen_is_told_why(port, where, query, code):
    with listening(port, where, query) as listener:
        assert code_of(listener) == code


def test_a_ticket_is_good_once_and_for_its_room_alone(port, booking):
    session = booking.session_set.create(expires_at="2100-01-01T00:00Z")
    given = Pass(str(session.id), booking.name, time.time() + 60)
    ticket, other = issue(redis, given), issue(redis, given._replace(room="AAAAAA"))

    with listening(port, booking.name, f"?ticket={ticket}") as first:
        assert "state" in json.loads(first.recv(20))
        with listening(port, booking.name, f"?ticket={ticket}") as second:
            assert code_of(second) == 4401
    with listening(port, booking.name, f"?ticket={other}") as listener:
        assert code_of(listener) == 4401


def test_tickets_are_good_that_hundreds_bring_at_once():
    tickets = [issue(redis, Pass("a", "AAAAAA", 0)) for _ in range(300)]

    async def redeemed():
        try:
            return await asyncio.gather(*(redeem(live_redis, each) for each in tickets))
        finally:
            await live_redis.aclose()

    assert all(asyncio.run(redeemed()))


def test_a_ticket_is_good_where_connections_to_redis_were_cut_meanwhile():
    tickets = [issue(redis, Pass("a", "AAAAAA", 0)) for _ in range(20)]

    async def redeemed():
        await asyncio.gather(*(redeem(live_redis, "x") for _ in range(20)))
        for kind in ("normal", "pubsub"):
            redis.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        try:
            return await asyncio.gather(*(redeem(live_redis, each) for each in tickets))
        finally:
            await live_redis.aclose()

    assert all(asyncio.run(redeemed()))


def test_a_ticket_of_a_session_that_has_ended_is_no_longer_good(port, booking):
    gone = Pass(str(uuid.uuid4()), booking.name, time.time() + 60)

    with listening(port, booking.name, f"?ticket={issue(redis, gone)}") as listener:
        assert code_of(listener) == 4401


@pytest.mark.report(
    "google/artemis#118",
    "an Origin such as `http://[` ends in an error of the server",
    "what is no origin is refused as a foreign one",
)
@pytest.mark.parametrize(
    "origin", ["https://evil.test", "null", "http://127.0.0.1.evil.test", "http://[", "[::1]", ""]
)
def test_a_foreign_page_is_refused_at_the_handshake(port, room, origin):
    with pytest.raises(InvalidStatus) as refused, listening(port, room.name, origin=origin):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.report(
    "cockpit-project/cockpit#22812",
    "a page that is served from an IPv6 address may open no socket: its brackets are misread",
    "host and origin are read as Django reads a Host, brackets and all",
)
@pytest.mark.parametrize("origin", ["https://127.0.0.1:8443", "http://[::1]:8003"])
def test_a_page_of_this_site_may_listen(port, room, origin):
    with listening(port, room.name, origin=origin) as listener:
        assert "state" in json.loads(listener.recv(20))


def test_a_body_is_refused_before_it_is_read(port, room):
    path = f"/api/boards/rooms/{room.name}/events"
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.sendall(head.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 405")
    assert asked(port, path, "POST")[0] == 405
    assert asked(port, "/api/boards/rooms/ZZZ/events")[0] == 404
    assert asked(port, f"{path}?since=x")[0] == 400
    for host in ("evil.test", "[", ""):
        assert asked(port, path, headers={"Host": host})[0] == 404


@pytest.mark.report(
    "danielgtaylor/huma#1037",
    "no header is sent before the first event: a browser takes its stream for closed, a proxy gives it up",
    "a stream begins at once, with a comment if there is nothing to tell",
)
def test_events_begin_where_there_is_nothing_to_tell(port, room):
    path, position = f"/api/boards/rooms/{room.name}/events", f"{room.epoch}.0"
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with listening(port, room.name) as other:
        other.recv(20)  # the state, so that the process knows it
        client.request("GET", path, headers={"Last-Event-ID": position})
        assert client.getresponse().readline() == b": still here\n"
    client.close()


def resident_mb(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024


@pytest.mark.report(
    "lezli01/vincent#188",
    "all that a client has missed is made one text before it is written, for each client that comes back",
    "a stream says one change after the other, as its client reads them",
)
def test_streams_that_missed_much_and_read_slowly_take_no_copy_each(port, room):
    with listening(port, room.name) as other, ExitStack() as held:
        for seq in range(1, 501):
            entry = {"room": room.name, "epoch": room.epoch, "seq": seq, "body": "x" * 16_000}
            redis.xadd("boards", entry, maxlen=1000)
        for _ in range(501):
            other.recv(20)
        process = asked(port, "/healthz")[1]["process"]
        before = resident_mb(process)
        path = f"/api/boards/rooms/{room.name}/events?since={room.epoch}.0"
        for _ in range(20):  # of 8 MB each
            slow = held.enter_context(socket.socket())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", port))
            slow.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            while b"id: " not in slow.recv(4096):
                pass
        assert resident_mb(process) < before + 80
    redis.xtrim("boards", maxlen=0)


@pytest.mark.report(
    "dataelement/Clawith#612",
    "a socket cannot be opened while Redis is away, though what it would show is in the database",
    "whoever joins gets the state; changes come once Redis is back",
)
def test_who_joins_while_redis_is_away_gets_the_state(room):
    number = free_port()
    with (
        serving(number, REDIS_URL=f"redis://127.0.0.1:{free_port()}"),
        listening(number, room.name) as listener,
    ):
        assert "state" in json.loads(listener.recv(20))
        with listening(number, "Q7XK2M", "?ticket=x") as private:
            assert code_of(private) == 1013


def test_events_resume_by_the_header_that_a_browser_sends(port, room):
    rooms.change(room.name, {"flight": "AA1", "gate": "A1", "remark": ""}, outbox=False)
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", f"/api/boards/rooms/{room.name}/events")
    stream = client.getresponse()
    position = stream.readline().decode().removeprefix("id: ").strip()
    assert position == f"{room.epoch}.1"

    entry = {"room": room.name, "epoch": room.epoch, "seq": 2, "body": '{"event": 2}'}
    redis.xadd("boards", entry)
    # Until the process has read it: the database knows of no second change, and its state is the first.
    for line in stream:
        if line.decode().strip() == f"id: {room.epoch}.2":
            break
    client.close()
    client.request(
        "GET", f"/api/boards/rooms/{room.name}/events", headers={"Last-Event-ID": position}
    )
    stream = client.getresponse()
    assert stream.readline().decode().strip() == f"id: {room.epoch}.2"
    client.close()


@pytest.mark.report(
    "Scille/parsec-cloud#9099",
    "the server waits for ever for the streams of events that are open when it is to stop",
    "each stream is told when to come back, and ended; the process is gone within seconds",
)
@pytest.mark.report(
    "block/buzz#2575",
    "clients of a restarted server hear nothing, and find out by a reset or after a minute",
    "1012 and a time of its own for each: four clients get four times",
)
def test_at_sigterm_everybody_is_told_when_to_come_back(room):
    number = free_port()
    with serving(number) as process, ExitStack() as held:
        client = http.client.HTTPConnection("127.0.0.1", number, timeout=20)
        client.request("GET", f"/api/boards/rooms/{room.name}/events")
        stream = client.getresponse()
        listeners = [held.enter_context(listening(number, room.name)) for _ in range(3)]
        for each in listeners:
            each.recv(20)
        process.send_signal(signal.SIGTERM)
        assert [code_of(each) for each in listeners] == [1012] * 3
        reasons = {each.protocol.close_rcvd.reason for each in listeners}
        assert len(reasons) == 3
        assert "retry: 5" in stream.read().decode()
        assert process.wait(20) is not None
        client.close()


def test_processes_end_whose_keeper_was_killed(room):
    number = free_port()
    with serving(number, 2) as keeper, listening(number, room.name) as listener:
        listener.recv(20)
        keeper.kill()
        assert code_of(listener) == 1012
        deadline = time.monotonic() + 30
        while is_open(number) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_open(number)
