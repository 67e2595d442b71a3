"""The client load: what volleys send, what they tell, and what they leave behind."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from nexus.load import LoadError, Request, ask, volley
from nexus.stacks.processes import wait_until

VOLLEY = """
from nexus.load import Request, volley
if __name__ == "__main__":
    for _ in volley([Request({url!r})] * 8, processes=4, timeout_seconds=120):
        pass
"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/never":
            self.server.asked.release()
            self.server.closing.wait(120)
            return
        if self.path == "/half":
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"half")
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.daemon_threads = True
    found.asked, found.closing = threading.Semaphore(0), threading.Event()
    found.url = f"http://127.0.0.1:{found.server_port}"
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.closing.set()
    found.shutdown()
    found.server_close()


def test_request_without_an_answer_in_time_says_why(server):
    (answer,) = volley([Request(f"{server.url}/never")], timeout_seconds=0.3)

    assert answer.status == 0
    assert answer.error.startswith("TimeoutError")


def test_answer_that_ends_in_the_middle_is_none(server):
    """As of a process that is killed while it answers."""
    request = Request(f"{server.url}/half")

    (answer,) = volley([request])
    asked = ask(request)

    assert (answer.status, asked.status) == (0, 0)
    assert asked.error.startswith("IncompleteRead")


def test_clients_that_are_killed_are_no_answer(server):
    requests = [Request(f"{server.url}/never")] * 2
    volleyed = volley(requests, processes=2, timeout_seconds=120)

    def kill_clients():
        for _ in range(2):
            assert server.asked.acquire(timeout=60)
        for child in psutil.Process().children():
            for (
                client
            ) in child.children():  # of the process that forks the clients; no other has any
                with suppress(psutil.NoSuchProcess):
                    client.kill()

    threading.Thread(target=kill_clients, daemon=True).start()
    with pytest.raises(LoadError, match="the clients ended after 0 of 2 answers"):
        list(volleyed)


def test_every_request_is_answered_once(server):
    answers = list(volley([Request(server.url)] * 101, processes=3, connections=5))

    assert sorted(answer.request for answer in answers) == list(range(101))
    assert {(answer.status, answer.body) for answer in answers} == {(200, b"ok")}


def test_requests_of_a_rate_leave_on_schedule(server):
    answers = list(volley([Request(server.url)] * 20, processes=2, rate=5))

    first = min(answer.sent for answer in answers)
    assert max(answer.sent for answer in answers) - first >= 0.5  # 3.6, but the first may be late


def test_killed_harness_leaves_no_client(server, tmp_path):
    script = tmp_path / "harness.py"
    script.write_text(VOLLEY.format(url=f"{server.url}/never"))
    harness = subprocess.Popen([sys.executable, script], env={**os.environ, "PYTHONPATH": "."})
    for _ in range(8):
        assert server.asked.acquire(timeout=60)
    left = psutil.Process(harness.pid).children(recursive=True)
    assert len(left) >= 4

    harness.send_signal(signal.SIGKILL)
    harness.wait()

    assert wait_until(lambda: not any(map(psutil.Process.is_running, left)), 20), left


def test_a_client_imports_nothing_of_the_program_that_starts_it(server, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(
        "print('imported', flush=True)\n"
        "from nexus.load import Request, volley\n"
        "if __name__ == '__main__':\n"
        f"    answers = volley([Request('{server.url}/')] * 4, processes=4, connections=1)\n"
        "    print(len([*answers]), __import__('sys').modules['__main__'].__file__)\n"
    )

    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )

    assert done.stdout.splitlines() == ["imported", f"4 {script}"]


@pytest.mark.parametrize("body", [b"", b'{"month": 1}'])
def test_body_of_a_request_arrives(server, body):
    request = Request(server.url, method="POST", body=body)

    (answer,) = volley([request])

    assert answer.body == body
    assert ask(request).body == body
