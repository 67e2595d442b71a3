"""What the lab answers, to whom, and what it leaves behind."""

import http.client
import http.cookies
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from nexus.catalog import ROOT
from nexus.stacks.processes import wait_until

TOYS = ROOT / "tests" / "examples"


@dataclass
class Client:
    """A visitor without a browser: a stranger until it enters, then keeps the cookie."""

    process: subprocess.Popen
    port: int
    output: Path
    key: str
    headers: dict = field(default_factory=dict)

    def ask(self, method, path, fields=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = urllib.parse.urlencode(fields or {}, doseq=True)
        sent = {"Content-Type": "application/x-www-form-urlencoded", **self.headers, **headers}
        connection.request(method, path, body if method == "POST" else None, sent)
        answer = connection.getresponse()
        return answer, connection

    def get(self, path, **headers):
        answer, connection = self.ask("GET", path, **headers)
        body = answer.read().decode()
        connection.close()
        return answer.status, dict(answer.getheaders()), body

    def post(self, path, fields=None, **headers):
        answer, connection = self.ask("POST", path, fields, **headers)
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    def enter(self):
        """Open the address that the terminal printed, as a browser does."""
        status, headers, _ = self.get(f"/?key={self.key}")
        assert (status, headers["Location"]) == (302, f"http://127.0.0.1:{self.port}/")
        name = f"nexus_lab_{self.port}"
        cookie = http.cookies.SimpleCookie(headers["Set-Cookie"])[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Strict", "")
        self.headers = {
            "Cookie": f"{name}={cookie.value}",
            "Origin": f"http://127.0.0.1:{self.port}",
            "Sec-Fetch-Site": "same-origin",
        }
        return self


def open_lab(folder):
    output = folder / "output"
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NEXUS_STATE": str(folder),
        "NEXUS_EXAMPLES": str(TOYS),
        # Any ports: at the documented ones another lab would be, as soon as this has ended.
        "NEXUS_LAB_PORT": "0",
        "NEXUS_WEB_PORT": "0",
    }
    with output.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "nexus", "run"], env=env, stdout=said, stderr=subprocess.STDOUT
        )
    assert wait_until(lambda: "Ready after" in output.read_text(), 60), output.read_text()
    said = re.search(r"open at http://127\.0\.0\.1:(\d+)/\?key=(\S+)", output.read_text())
    return process, int(said[1]), output, said[2]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    process, *rest = open_lab(tmp_path_factory.mktemp("lab"))
    yield process, *rest
    process.terminate()
    process.wait(60)


@pytest.fixture
def lab(opened):
    """A visitor who comes for the first time, to a lab in which nothing runs."""
    return Client(*opened)


def state(client):
    answer, connection = client.ask("GET", "/events/")
    lines = iter(lambda: answer.readline().decode().strip(), None)
    data = next(line for line in lines if line.startswith("data: "))
    answer.close()
    connection.close()
    return json.loads(data.removeprefix("data: "))["examples"][0]


def test_only_this_machine_reaches_the_lab(lab):
    bound = {
        each.laddr.ip
        for each in psutil.Process(lab.process.pid).net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    }
    assert bound == {"127.0.0.1"}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::1]", "10.0.0.1"])
def test_other_host_names_are_refused(lab, host):
    status, _, body = lab.get("/", Host=host)

    assert status == 400
    assert "Rate" not in body


ACTIONS = (
    ("POST", "/toy/start/"),
    ("POST", "/toy/stop/"),
    ("POST", "/toy/claims/it-answers/run/"),
    ("POST", "/runs/1/cancel/"),
    ("POST", "/runs/1/fault/"),
    ("GET", "/events/"),
    ("GET", "/toy/logs/web.1/"),
    ("GET", "/runs/1/chart/"),
)


@pytest.mark.parametrize(("method", "path"), ACTIONS)
def test_a_stranger_of_this_machine_may_read_pages_and_nothing_else(lab, method, path):
    stale = {"Cookie": f"nexus_lab_{lab.port}=key-of-an-earlier-lab"}
    for headers in ({}, stale, {"Cookie": f"nexus_lab_{lab.port}="}):
        assert lab.get("/toy/", **headers)[0] == 200
        answer, connection = lab.ask(method, path, {"variant": "fast"}, **headers)
        said = answer.read().decode()
        connection.close()
        assert (answer.status, answer.getheader("Set-Cookie")) == (403, None)
        assert json.loads(said)["error"].startswith("Only the holder of the lab's key may do this")
    assert lab.key not in lab.get("/")[2] + lab.get("/toy/")[2]


def test_every_action_of_the_lab_is_tried_by_the_stranger():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nexus.lab.settings")
    from nexus.lab import actions, urls

    guarded = [each for each in urls.urlpatterns if each.callback.__module__ == actions.__name__]
    assert len(guarded) == len(ACTIONS)


def test_a_wrong_key_lets_nobody_in(lab):
    for path in ("/?key=", "/?key=wrong", f"/?key={lab.key}x", f"/?other={lab.key}"):
        status, headers, _ = lab.get(path)
        assert (status, headers.get("Set-Cookie")) == (200, None)


def test_the_key_leaves_the_address_and_the_rest_of_it_stays_on_this_host(lab):
    address = f"//evil.example/toy/?a=1&key={lab.key}&b=%26"
    status, headers, _ = lab.get(address)

    assert status == 302
    assert headers["Location"] == f"http://127.0.0.1:{lab.port}//evil.example/toy/?a=1&b=%26"


def test_nothing_is_changed_from_elsewhere_even_with_the_key(lab):
    lab.enter()
    elsewhere = {"Origin": f"http://127.0.0.1:{lab.port + 1}"}
    assert lab.post("/toy/start/", **elsewhere)[0] == 403
    assert lab.post("/toy/start/", **{"Sec-Fetch-Site": "same-site"})[0] == 403
    assert lab.post("/toy/start/", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert lab.post("/toy/start/", Origin="null")[0] == 403
    assert lab.get("/toy/start/")[0] == 405
    assert state(lab)["state"] == "stopped"


def test_unknown_names_say_what_there_is(lab):
    lab.enter()
    for path, said in (
        ("/nope/start/", "There is no example 'nope'; the examples are: toy."),
        ("/nope/claims/it-answers/run/", "There is no example 'nope'; the examples are: toy."),
        (
            "/toy/claims/nope/run/",
            "toy has no claim 'nope'; its claims are: it-answers, it-keeps-answering.",
        ),
    ):
        status, body = lab.post(path, {"variant": "fast"})
        assert (status, json.loads(body)) == (404, {"error": said})
    status, body = lab.post("/toy/claims/it-answers/run/", {"variant": "nope"})
    assert (status, json.loads(body)["error"]) == (
        400,
        "it-answers has no variant 'nope'; its variants are: slow, fast.",
    )
    status, body = lab.post("/toy/claims/it-answers/run/", {"variant": "fast"})
    assert (status, json.loads(body)["error"]) == (409, "toy does not run here; start it first.")
    status, body = lab.post("/runs/7/cancel/")
    assert (status, json.loads(body)["error"]) == (409, "There is no run 7.")


@pytest.mark.parametrize(
    "path",
    [
        "/toy/files/../../../pyproject.toml.html",
        "/toy/files/%2e%2e/%2e%2e/%2e%2e/pyproject.toml.html",
        "/toy/files//etc/passwd.html",
        "/toy/files/..%2f..%2f..%2fpyproject.toml.html",
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%2fsettings.py",
        "/static//etc/passwd",
        "/toy/logs/../../secret_key/",
        "/toy/logs/..%2f..%2fsecret_key/",
        "/toy/logs/redis/",
    ],
)
def test_no_other_file_is_readable(lab, path):
    status, _, body = lab.enter().get(path)

    assert status in (400, 404)
    assert "root:" not in body
    assert "SECRET_KEY" not in body
    assert "[project]" not in body


def test_a_request_for_a_websocket_is_answered_and_prints_nothing(lab):
    said = lab.output.read_text()
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    status, _, body = lab.get("/", **asked, **{"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})

    assert (status, "<h1>" in body) == (200, True)
    assert lab.output.read_text() == said


def test_pages_say_what_they_may_load(lab):
    _, headers, _ = lab.get("/toy/")

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


def test_a_visit_without_script_gets_pages_that_work(lab):
    assert lab.get("/nope/", **{"Accept-Encoding": "identity"})[0] == 404
    status, _, body = lab.get("/toy/")
    assert status == 200
    assert "It answers with 200." in body


def test_a_lab_that_is_killed_leaves_no_stack_running(tmp_path):
    lab = Client(*open_lab(tmp_path)).enter()
    assert lab.post("/toy/start/")[0] == 202
    assert wait_until(lambda: state(lab)["state"] == "running", 60)
    url = urllib.parse.urlsplit(state(lab)["url"])
    family = psutil.Process(lab.process.pid).children(recursive=True)
    assert len(family) >= 4
    lab.process.send_signal(signal.SIGKILL)
    lab.process.wait()

    gone, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []
    assert len(gone) == len(family)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((url.hostname, url.port), 10)


def test_an_example_that_runs_elsewhere_is_shown_and_left_alone(tmp_path):
    first = Client(*open_lab(tmp_path)).enter()
    assert first.post("/toy/start/")[0] == 202
    assert wait_until(lambda: state(first)["state"] == "running", 60)
    url = state(first)["url"]
    second = Client(*open_lab(tmp_path)).enter()
    try:
        assert (state(second)["state"], state(second)["url"]) == ("elsewhere", url)
        second.post("/toy/start/")
        assert wait_until(lambda: state(second)["state"] == "elsewhere", 30)
        assert second.post("/toy/claims/it-answers/run/", {"variant": "fast"})[0] == 409
    finally:
        second.process.terminate()
        second.process.wait(60)
        assert state(first)["state"] == "running"
        first.process.terminate()
        first.process.wait(60)
