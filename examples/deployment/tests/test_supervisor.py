"""The supervisor with its real children: whatever dies comes back, and a bad order changes nothing."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import chdir
from pathlib import Path

import pytest
from releases.gate import get
from supervisor.ports import free_ports
from ways.configured import BASE


class Service:
    """One state folder, its supervisors, and orders to the one that has it."""

    def __init__(self, folder):
        self.folder, (self.port, _) = folder, free_ports()
        self.env = {**os.environ, "STATE_FOLDER": str(folder), "PORT": str(self.port)}
        self.supervisors = []

    def begin(self):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "supervise"], cwd=BASE, env=self.env
        )
        self.supervisors.append(process)
        return process

    def order(self, *words):
        command = [sys.executable, "manage.py", "release", *words]
        return subprocess.run(
            command, cwd=BASE, env=self.env, capture_output=True, text=True, check=False
        )

    def status(self):
        return json.loads(self.order("status").stdout)

    def give(self, text):
        with socket.socket(socket.AF_UNIX) as line, chdir(self.folder):
            line.connect("orders.sock")
            line.sendall(text)
            line.shutdown(socket.SHUT_WR)
            return line.makefile("rb").readline()

    def processes(self):
        return json.loads(self.give(b'{"do": "running"}\n'))["processes"]

    def answers(self, number):
        return get(self.port, "/healthz") == (200, str(number))


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def ended(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"  # nobody has asked yet how it ended


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    # A path of more than 107 bytes is no address of a socket.
    folder = tmp_path_factory.mktemp("state") / ("long" * 30)
    service = Service(folder)
    service.begin()
    until(lambda: service.answers(1))
    yield service
    for each in service.supervisors:
        each.terminate()
    for each in service.supervisors:
        each.wait(30)


def test_socket_is_for_its_user_alone(service):
    for name in ("orders.sock", "haproxy.sock"):
        assert stat.S_IMODE((service.folder / name).stat().st_mode) == 0o600


def test_release_that_does_not_exist_is_refused_in_one_sentence(service):
    done = service.order("start", "nowhere")

    assert done.returncode == 3
    assert done.stderr == "refused: there is no release shipped/nowhere.env.\n"
    assert service.answers(1)


def test_refusal_names_the_reason(service):
    done = service.order("start", "charging")

    assert done.returncode == 3
    assert done.stderr.startswith("refused: PAYMENT_URL is missing")
    assert done.stderr.count("\n") == 1
    assert service.answers(1)


def test_port_that_is_taken_is_told_and_the_old_release_stays(service):
    before = service.status()
    [port] = {*before["ports"]} - {before["live"]["port"]}
    with socket.create_server(("127.0.0.1", port)):
        done = service.order("start", "good")

    said = f"refused: the supervisor cannot start: port {port} is taken by another program.\n"
    assert (done.returncode, done.stderr) == (3, said)
    after = service.status()
    assert (after["live"], after["step"], after["other"]) == (before["live"], "steady", None)


def test_release_whose_database_is_away_is_refused_with_the_line_that_says_so(service):
    env = service.env | {"DATABASE_URL": "postgres://a:b@127.0.0.1:1/x"}
    command = [sys.executable, "manage.py", "release", "start", "good"]

    done = subprocess.run(command, cwd=BASE, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 3
    assert done.stderr.startswith("refused: django.db.utils.OperationalError: connection failed")
    assert done.stderr.count("\n") == 1


def test_order_without_a_supervisor_is_refused(tmp_path):
    done = Service(tmp_path).order("status")

    said = "refused: no release is live: the supervisor has not begun.\n"
    assert (done.returncode, done.stderr) == (3, said)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]\n", b'{"do": "fly"}\n', b'{"do": "start", "release": {}}\n']
)
def test_order_that_makes_no_sense_changes_nothing(service, text):
    before = service.processes()

    told = service.give(text)

    assert told == b"" or "fault" in json.loads(told)
    assert service.processes() == before


@pytest.mark.parametrize("name", ["front", "release"])
def test_child_that_dies_is_started_again(service, name):
    [(name, pid)] = [each for each in service.processes().items() if each[0].startswith(name)]

    os.killpg(pid, signal.SIGKILL)

    until(lambda: service.processes().get(name, pid) != pid)
    until(lambda: get(service.port, "/healthz")[0] == 200)


def test_second_supervisor_takes_over_and_nothing_is_left_of_the_first(service):
    before, live = service.processes(), service.status()["live"]["number"]
    second = service.begin()

    service.supervisors[0].kill()
    service.supervisors[0].wait()

    until(lambda: all(ended(pid) for pid in before.values()))
    until(lambda: service.answers(live))
    assert second.poll() is None
    assert set(service.processes()) == set(before)
