"""The web server of a release, when it is told to stop."""

import os
import subprocess
import sys
import time
from pathlib import Path
from socket import create_connection, create_server

import pytest

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 60


@pytest.fixture
def server():
    """One process with one thread: it, and its port."""
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = (
        f"gunicorn --config config/gunicorn.py --bind 127.0.0.1:{port} --threads 1 config.wsgi"
    )
    process = subprocess.Popen([sys.executable, "-m", *command.split()], cwd=ROOT, env=os.environ)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    yield process, port
    process.kill()
    process.wait()


def send(port, path, *more):
    line = create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
    fields = ["Host: localhost", "Connection: close", *more]
    line.sendall("\r\n".join([f"{path} HTTP/1.1", *fields, "", ""]).encode())
    return line


def answer(line):
    with line, line.makefile("rb") as read:
        return read.readline()[9:12]


@pytest.mark.report(
    "benoitc/gunicorn#2529",
    "of two requests that a worker has, the second is reset at SIGTERM",
    "every request that has arrived is answered, whatever the number of threads",
)
def test_every_request_that_has_arrived_is_answered_after_sigterm(server):
    process, port = server
    asked = [send(port, "GET /api/airports/JFK/export/?seconds=1")]
    asked += [send(port, "GET /api/airports/EWR/") for _ in range(8)]
    # The loop that reads answers this by itself, and has read the others by then.
    last = send(port, "POST /api/bookings/", "Expect: 100-continue", "Content-Length: 2")
    assert last.recv(65536).startswith(b"HTTP/1.1 100")

    process.terminate()

    assert [answer(line) for line in asked] == [b"200"] * 9
    last.close()
    assert process.wait(PATIENCE_SECONDS) == 0
