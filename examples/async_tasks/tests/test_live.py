"""What clients are told while they wait, by the process of the Procfile on the database of the tests."""

import http.client
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from jobs.models import Event, Job, State
from jobs.runs import perform
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def live(database_url):
    """The process of that name, with its port; stopped as a deploy does it."""
    with started(database_url) as process:
        yield process


@contextmanager
def started(database_url):
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    lines = (ROOT / "Procfile").read_text().splitlines()
    command = dict(line.split(": ", 1) for line in lines)["live"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        ["sh", "-c", f"exec {command}"],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "DATABASE_URL": database_url, "LIVE_PORT": str(port)},
        start_new_session=True,
    )
    deadline = time.monotonic() + 20
    while not answers(port):
        assert process.poll() is None, f"{shlex.quote(command)} has ended"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.port = port
    try:
        yield process
        process.terminate()
        process.wait(10)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(port):
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        asked.request("GET", "/healthz")
        return asked.getresponse().status == 200
    except OSError:
        return False
    finally:
        asked.close()


@contextmanager
def listening(live, job, last_event_id=None):
    """Ask for the events of *job*, and hang up at the end."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    with closing(http.client.HTTPConnection("127.0.0.1", live.port, timeout=10)) as asked:
        asked.request("GET", f"/api/jobs/{job}/events/", headers=headers)
        with closing(asked.getresponse()) as answer:
            yield answer


def told(answer):
    """Yield the id and the state of each event, as they come."""
    number = None
    for line in answer:
        name, _, value = line.decode().strip().partition(": ")
        if name == "id":
            number = int(value)
        elif name == "data":
            yield number, json.loads(value)


def finish(job, policy):
    perform(job, False, "worker", {"test": lambda run: run.progress(0.5) or (lambda: None)}, policy)


@pytest.mark.parametrize(
    ("last", "status"), [("first", 400), ("-1", 400), ("9" * 19, 400), (None, 404)]
)
def test_what_cannot_be_followed_is_refused(live, job, last, status):
    with listening(live, job if last else uuid.uuid4(), last) as answer:
        assert answer.status == status
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_events_are_told_in_order_up_to_the_end(live, job, policy):
    with listening(live, job) as answer:
        events = told(answer)
        first = next(events)  # before anything else has happened
        finish(job, policy)
        seen = [first, *events]  # the stream ends by itself

    assert answer.headers["Content-Type"] == "text/event-stream"
    assert [event["state"] for _, event in seen] == ["queued", "running", "done"]
    assert [number for number, _ in seen] == list(
        Event.objects.order_by("id").values_list("id", flat=True)
    )


def test_who_comes_back_is_told_what_was_missed_and_then_to_stay_away(live, job, policy):
    with listening(live, job) as answer:
        first, _ = next(told(answer))
    finish(job, policy)

    with listening(live, job, str(first)) as answer:
        missed = list(told(answer))
    with listening(live, job, str(missed[-1][0])) as answer:
        assert answer.status == 204

    assert [event["state"] for _, event in missed] == ["running", "done"]


def test_conversation_tells_and_cancels(live, job):
    with connect(f"ws://127.0.0.1:{live.port}/api/jobs/{job}/talk/") as talk:
        assert json.loads(talk.recv(10))["state"] == "queued"
        talk.send("stop it")
        assert "error" in json.loads(talk.recv(10))
        talk.send('{"do": "cancel"}')
        assert json.loads(talk.recv(10))["state"] == "cancelled"
        assert list(talk) == []  # closed by the service

    assert Job.objects.get().state == State.CANCELLED


def test_conversation_about_an_unknown_job_is_closed(live):
    with (
        connect(f"ws://127.0.0.1:{live.port}/api/jobs/{uuid.uuid4()}/talk/") as talk,
        pytest.raises(ConnectionClosedError) as closed,
    ):
        talk.recv(10)

    assert closed.value.rcvd.code == 4404


def test_process_with_listeners_stops_in_good_order(database_url, job):
    with started(database_url) as live, ExitStack() as listeners:
        for _ in range(3):
            next(told(listeners.enter_context(listening(live, job))))
        talk = connect(f"ws://127.0.0.1:{live.port}/api/jobs/{job}/talk/")
        listeners.enter_context(talk).recv(10)

        live.terminate()

        # After its good end uvicorn raises the signal anew, which need not end a process that is over anyway.
        assert live.wait(8) in (0, -signal.SIGTERM)


def test_body_is_refused_before_it_is_read(live):
    head = b"POST /api/jobs/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"

    with socket.create_connection(("127.0.0.1", live.port), timeout=5) as client:
        client.sendall(head)
        answer = b"".join(iter(lambda: client.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 413")


def test_it_is_one_process_though_the_web_server_has_several(database_url, monkeypatch):
    monkeypatch.setenv("WEB_CONCURRENCY", "4")

    with started(database_url) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()

    assert children == ""
