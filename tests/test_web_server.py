"""What serves every example: whose names it reads, whom it waits for, and what it survives."""

import http.client
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from nexus import catalog
from nexus.environment import ensure_environment
from nexus.prove import proof_stack
from nexus.stacks.base import StackError
from nexus.stacks.compose import engine_problem
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.processes import wait_until

HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Half: "


def port(stack) -> int:
    return int(stack.url.rpartition(":")[2])


def said(stack, request: bytes) -> bytes:
    """Send the bytes and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port(stack)), timeout=10) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65536), b""))


def status(stack) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port(stack), timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


@contextmanager
def asked_all_the_time(stack) -> Iterator[tuple[list[int], list[str]]]:
    """Ask from four threads, each request over a connection of its own."""
    answered: list[int] = []
    failed: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                answered.append(status(stack))
            except (OSError, http.client.HTTPException) as error:
                failed.append(repr(error))
            time.sleep(0.005)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        yield answered, failed
    finally:
        over.set()
        for asker in askers:
            asker.join()


def test_every_example_has_the_same_server():
    found = {(one.path / "config" / "gunicorn.py").read_bytes() for one in catalog.examples()}

    assert len(found) == 1


def answered(example, request: bytes) -> str:
    """Return what the example's own server, with its configuration, answers before an application of ours."""
    binaries = ensure_environment(example)
    with ExitStack() as held:
        # Handed on while it listens: of one that was given back, anybody else could take the port.
        listening = held.enter_context(socket.create_server(("127.0.0.1", 0)))
        server = psutil.Popen(
            [
                str(binaries / "python"),
                "-m",
                "gunicorn",
                "--config",
                str(example.path / "config" / "gunicorn.py"),
                f"--bind=fd://{listening.fileno()}",
                "tests.seen_by_wsgi:application",
            ],
            cwd=Path(__file__).parent.parent,
            pass_fds=[listening.fileno()],
        )
        held.callback(server.wait)
        held.callback(server.terminate)
        with socket.create_connection(listening.getsockname(), timeout=60) as client:
            client.sendall(request)
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()


def test_names_with_an_underscore_are_nobodys(example):
    lines = [
        b"GET / HTTP/1.1",
        b"Host: localhost",
        b"X_Forwarded_For: 1.2.3.4",
        b"X-Forwarded-For: 192.0.2.7",
        b"X_Forwarded_For: 1.2.3.4",
        b"X_Real_IP: 1.2.3.4",
        b"Connection: close",
    ]

    answer = answered(example, b"\r\n".join(lines) + b"\r\n\r\n")

    seen = dict(line.split("=", 1) for line in answer.partition("\r\n\r\n")[2].splitlines())
    assert seen["HTTP_X_FORWARDED_FOR"] == "192.0.2.7"
    assert "HTTP_X_REAL_IP" not in seen


def test_answer_to_head_is_not_the_beginning_of_the_next_one(example):
    """As mar10/wsgidav#123: behind a body that nobody expects a proxy finds no answer, and says 503."""
    head = b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    _, rest = answered(example, head + last).split("\r\n\r\n", 1)

    assert rest.startswith("HTTP/1.1 200 OK")


def test_a_charset_is_nobodys_business(example):
    """Django decodes the query in what it names: zlib, which is none for text, is a 500."""
    boundary = b"multipart/form-data; charset=\"zlib\"; boundary=x; CHARSET*=utf-8''zlib"
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "

    answer = answered(example, head + boundary + b"\r\n\r\n")

    assert "CONTENT_TYPE=multipart/form-data; boundary=x\n" in answer


@pytest.mark.paired
def test_server_survives_wrong_hosts_and_a_killed_worker(example, tmp_path):
    ensure_environment(example)
    with EmbeddedStack(example, tmp_path) as stack:
        wrong_host_is_refused_and_writes_no_traceback(stack)
        charset_of_no_text_is_no_error(stack)
        # What keeps releases has tests of its own.
        if web_of(stack).command.startswith("gunicorn"):
            killed_worker_is_replaced_and_costs_a_few_requests(stack)
        commands_end_when_they_are_asked(stack)


def commands_end_when_they_are_asked(served) -> None:
    """As the first process of a container a program ends by no signal that it does not handle."""
    commands = [child for child in served.children().values() if "manage.py" in child.command]
    for child in commands:
        child.terminate()

    assert wait_until(lambda: not any(child.alive for child in commands), 20)
    assert {child.exit_code for child in commands} <= {0}


def wrong_host_is_refused_and_writes_no_traceback(served) -> None:
    # Not /healthz: a probe may ask by an address that nobody has listed.
    asked = b"GET /api/ HTTP/1.1\r\nHost: elsewhere.test\r\nConnection: close\r\n\r\n"
    before = len(served.logs("web"))

    for _ in range(20):
        assert said(served, asked).startswith(b"HTTP/1.1 400")

    assert len(served.logs("web")) - before <= 20 * 200


def charset_of_no_text_is_no_error(served) -> None:
    fields = "Host: localhost", "Connection: close", "Content-Type: application/json; charset=zlib"
    asked = "\r\n".join(["GET /api/?x=%ff HTTP/1.1", *fields, "", ""])

    assert said(served, asked.encode()).startswith(b"HTTP/1.1 200")


@pytest.mark.alone
def test_hundreds_of_half_requests_hold_nobody_up_and_are_closed(tmp_path):
    """Of one example: all have the same server, as the test above says."""
    smallest = catalog.example("rate_limiting")
    ensure_environment(smallest)
    with ExitStack() as held:
        served = held.enter_context(EmbeddedStack(smallest, tmp_path))
        clients = [
            held.enter_context(socket.create_connection(("127.0.0.1", port(served))))
            for _ in range(600)
        ]
        for client in clients:
            client.sendall(HALF)
        with asked_all_the_time(served) as (answered, failed):
            assert wait_until(lambda: all(map(ended, clients)), 90)

    assert failed == []
    assert set(answered) == {200}


def ended(client: socket.socket) -> bool:
    """Whether the server closed the connection; it may say why before."""
    client.setblocking(False)
    try:
        while client.recv(4096):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def web_of(served):
    (web,) = [child for name, child in served.children().items() if name.startswith("web")]
    return web


def killed_worker_is_replaced_and_costs_a_few_requests(served) -> None:
    web = web_of(served)
    master = psutil.Process(web.pid)
    assert wait_until(lambda: len(master.children()) == 2, 20)
    workers = master.children()

    with asked_all_the_time(served) as (answered, failed):
        assert wait_until(lambda: len(answered) > 100, 20)
        workers[0].kill()
        now = len(answered)
        # Until its parent has asked for it, the killed one is still among them.
        replaced = wait_until(lambda: len({*master.children()} - {workers[0]}) == 2, 20)
        assert wait_until(lambda: len(answered) > now + 200, 20)

    assert replaced
    assert web.alive
    assert workers[0] not in master.children()
    assert len(failed) <= 8, failed  # four requests at a time, and what its socket held
    assert set(answered) == {200}


@pytest.mark.compose
def test_container_whose_server_dies_is_started_again():
    if problem := engine_problem():
        pytest.skip(problem)
    try:
        with proof_stack(catalog.example("query_optimization"), "compose") as stack:
            # Its first process, from outside of its namespace: within, the kernel protects that one.
            started = state_of(stack)
            psutil.Process(started[0]).kill()
            assert wait_until(lambda: state_of(stack)[0] not in (0, started[0]), 30)
            assert wait_until(lambda: healthy(stack), 30)
            # The hands of experiments are stronger than the policy.
            with stack.killed("web"):
                time.sleep(3)
                assert state_of(stack)[0] == 0
            stack.wait_ready()
            assert healthy(stack)
    except StackError as error:
        pytest.fail(f"{error}\n{error.log}", pytrace=False)


def healthy(stack) -> bool:
    try:
        return status(stack) == 200
    except (OSError, http.client.HTTPException):
        return False


def state_of(stack) -> tuple[int, int]:
    """The process id of `web` on this machine, 0 while it does not run, and how often Docker restarted it."""
    (name,) = [name for name, one in stack.programs().items() if one["service"] == "web"] or [""]
    if not name:
        return 0, 0
    form = "{{.State.Pid}} {{.RestartCount}}"
    command = ["docker", "inspect", "--format", form, name]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pid, restarts = said.split()
    return int(pid), int(restarts)
