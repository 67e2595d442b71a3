"""A second spelling of a header's name, before a server that drops it and one that does not."""

import os
import socket
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from config.wsgi import application
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings
from flights.identity import Proxies

pytest_plugins = ["tests.site"]

ROOT = Path(__file__).parents[1]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Say nothing of a request."""


@pytest.fixture
def careless():
    """The address of a server that makes one name of `X_Forwarded_For` and `X-Forwarded-For`."""
    with (
        override_settings(TRUSTED_PROXIES=Proxies.parse("127.0.0.1")),
        make_server("127.0.0.1", 0, application, handler_class=Quiet) as server,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def ours(wait_until):
    """The address of this example's server, as the Procfile starts it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = f"gunicorn --config config/gunicorn.py --bind 127.0.0.1:{port} config.wsgi"
    believing = os.environ | {"TRUSTED_PROXIES": "127.0.0.1", "REDIS_TIMEOUT_SECONDS": "20"}
    process = subprocess.Popen([sys.executable, "-m", *command.split()], cwd=ROOT, env=believing)

    def listens():
        assert process.poll() is None
        with socket.socket() as probe:
            return not probe.connect_ex(("127.0.0.1", port))

    try:
        wait_until(listens)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def check(url):
    with override_settings(SITE_URL=url):
        call_command("check", "--tag", "site", stdout=(output := StringIO()))
    return output.getvalue()


@pytest.mark.report(
    "apache/httpd#558",
    "a proxy passes `X_Forwarded_For` on, and the server behind it makes one name of both",
    "`check --tag site` asks the running site in two such names, and says when they count",
)
def test_the_check_names_a_server_that_keeps_underscores(careless):
    with pytest.raises(SystemCheckError, match=r"E006.* X_Forwarded_For names any client"):
        check(careless)


def test_the_check_finds_nothing_at_our_server(ours):
    assert "no issues" in check(ours)


def test_the_check_says_where_it_found_no_limit(careless):
    for wrong in ("http://127.0.0.1:1", f"{careless}/elsewhere", "nowhere"):
        with pytest.raises(SystemCheckError, match=r"E005.* SITE_URL tells no limit"):
            check(wrong)
