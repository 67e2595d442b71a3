"""A host that is gone without FIN or RST, as after a power cut: the next one is found within seconds."""

import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest
from django.db import connection
from flights import rooms
from flights.configured import redis

from .conftest import STAFF, free_port
from .test_live import asked, listening, serving

DROP_ALL = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0
ATTACH_FILTER = 26  # SO_ATTACH_FILTER of Linux
# Seconds; a kernel waits for 15 minutes.
GIVEN_UP = 60


class Relay:
    """Stands before a server, at a port of its own."""

    def __init__(self, host: str, port: int) -> None:
        self.there = host, port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.clients: list[socket.socket] = []
        self.servers: list[socket.socket] = []
        self.gone: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.there)
                self.clients.append(client)
                self.servers.append(server)
                for ends in ((client, server), (server, client)):
                    threading.Thread(
                        target=self._forward, args=(client, *ends), daemon=True
                    ).start()

    def _forward(self, client: socket.socket, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while (said := source.recv(65536)) and client not in self.gone:
                sink.sendall(said)
            if client not in self.gone:
                sink.shutdown(socket.SHUT_RDWR)

    def vanish(self) -> None:
        """Let the kernel drop whatever comes on the connections of now: it acknowledges nothing."""
        self.gone.update(self.clients)
        for client in self.gone:
            program = struct.pack("HL", 1, ctypes.addressof(DROP_ALL))
            client.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, program)

    def close(self) -> None:
        for each in (self.listener, *self.clients, *self.servers):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def running(*command: str, **environment: str):
    process = subprocess.Popen([sys.executable, *command], env={**os.environ, **environment})
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def user():
    """A user of Redis who may do what OPERATING.md says, and no more."""
    name = f"test-{uuid.uuid4().hex}"
    keys, commands = ("~boards", "~ticket:*"), ("+xadd", "+xread", "+xrange", "+set", "+getdel")
    redis.execute_command("ACL", "SETUSER", name, "on", ">secret", *keys, *commands)
    yield name
    redis.execute_command("ACL", "DELUSER", name)


def until(condition) -> None:
    deadline = time.monotonic() + GIVEN_UP
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def waits_for_a_lock() -> bool:
    query = (
        "SELECT FROM pg_stat_activity WHERE application_name = 'pump' AND wait_event_type = 'Lock'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone() is not None


def told() -> list[tuple[str, str]]:
    return [(fields["room"], fields["seq"]) for _, fields in redis.xrange("boards")]


@pytest.mark.report(
    "sandbox-quantum/switch#415",
    "a PostgreSQL that fails over closes no socket: who waits at LISTEN hears nothing for 16 minutes",
    "what was sent or is waited for is given up after seconds, and pump, web and reader connect anew",
)
def test_hosts_that_are_gone_without_a_word_are_given_up(room, another, user):
    of_redis, database = redis.connection_pool.connection_kwargs, connection.settings_dict
    number, path = free_port(), f"/api/boards/rooms/{room.name}/"
    gunicorn = ("-m", "gunicorn", "--config", "config/gunicorn.py", "--workers", "1")
    # One thread: the connection that is tried is the one that was used.
    gunicorn += ("--threads", "1", "--bind", f"127.0.0.1:{number}", "config.wsgi:application")
    with (
        closing(Relay(database["HOST"], int(database["PORT"]))) as postgres,
        closing(Relay(of_redis["host"], of_redis["port"])) as store,
        ExitStack() as held,
        ThreadPoolExecutor(1) as pool,
    ):
        login = f"{database['USER']}:{database['PASSWORD']}"
        environment = {
            "DATABASE_URL": f"postgres://{login}@127.0.0.1:{postgres.port}/{database['NAME']}",
            "REDIS_URL": f"redis://{user}:secret@127.0.0.1:{store.port}/0",
        }
        held.enter_context(running(*gunicorn, **environment))
        held.enter_context(running("manage.py", "pump", **environment))
        live = free_port()
        held.enter_context(serving(live, **environment))
        listener = held.enter_context(listening(live, room.name))
        listener.recv(20)
        until(lambda: asked(number, "/healthz"))
        change = json.dumps({"flight": "AA1", "gate": "A1"})
        assert asked(number, path, "POST", change, STAFF) == (200, {"seq": 1})
        assert '"A1"' in listener.recv(20)

        another.execute("LOCK TABLE flights_outbox IN EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("NOTIFY outbox")
        until(waits_for_a_lock)  # the pump has asked, and gets its answer from nobody
        second = {"flight": "AA1", "gate": "B2", "remark": "", "room": room.name, "outbox": True}
        another.execute(rooms.CHANGE.encode(), second)
        postgres.vanish()
        store.vanish()
        another.commit()
        state = pool.submit(asked, number, path, seconds=GIVEN_UP)
        assert '"B2"' in listener.recv(GIVEN_UP)  # in a state: a reader without INFO doubts
        until(lambda: (room.name, "2") in told())
        assert state.result(GIVEN_UP)[0] == 200
