"""The supervisor with its real children: whatever dies comes back, and a bad order changes nothing."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from pathlib import Path

import pytest
from releases import Refused, Release, State
from releases.gate import get
from supervisor.children import Children, Command
from supervisor.ports import free_ports
from supervisor.supervisor import Supervisor
from ways import configured
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


def busy(service):
    """Whether the proxy has a request under way."""
    with socket.socket(socket.AF_UNIX) as line, chdir(service.folder):
        line.connect("haproxy.sock")
        line.sendall(b"show stat\n")
        rows = line.makefile("r").read().splitlines()
    [totals] = [row.split(",") for row in rows if row.startswith("releases,BACKEND,")]
    return totals[4] != "0"  # scur


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
    said = "refused: release shipped/nowhere.env cannot be read: No such file or directory.\n"
    assert done.stderr == said
    assert service.answers(1)


def test_refusal_names_the_reason(service):
    done = service.order("start", "charging")

    assert done.returncode == 3
    assert done.stderr.startswith("refused: it ended before it was ready: PAYMENT_URL is missing")
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
    assert done.stderr.startswith("refused: the database does not answer: connection failed")
    assert done.stderr.count("\n") == 1


def test_order_without_a_supervisor_is_refused(tmp_path):
    done = Service(tmp_path).order("status")

    said = "refused: no release is live: the supervisor has not begun.\n"
    assert (done.returncode, done.stderr) == (3, said)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]\n",
        b"[" * 60_000 + b"\n",
        b'{"do": "fly"}\n',
        b'{"do": "start", "release": {}}\n',
        b'{"do": "start", "release": {"number": 99, "folder": "good", "port": 70000}}\n',
        b'{"do": "start", "release": {"number": 99, "folder": "\\u0000", "port": 7000}}\n',
    ],
)
def test_order_that_makes_no_sense_changes_nothing(service, text):
    before = service.processes()

    told = service.give(text)

    assert told == b"" or "fault" in json.loads(told)
    assert service.processes() == before


@pytest.mark.report(
    "docker/for-win#387",
    "a file with variables in another encoding ends in a traceback",
    "the release is refused in a sentence",
)
def test_release_whose_file_is_no_text_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(configured, "BASE", tmp_path)
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "odd.env").write_bytes("# вы\nFAULT=JFK".encode("cp1251"))

    with pytest.raises(Refused, match=r"release shipped/odd\.env cannot be read: 'utf-8' codec"):
        configured.shipped("odd")


@pytest.mark.report(
    "docker/compose#5220",
    "an editor has put a byte order mark before the first variable, which is lost",
    "the mark is no part of the name",
)
def test_byte_order_mark_is_no_part_of_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(configured, "BASE", tmp_path)
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "marked.env").write_bytes(b"\xef\xbb\xbfFAULT=JFK\r\n")

    assert configured.shipped("marked") == {"FAULT": "JFK"}


@pytest.mark.report(
    "systemd/systemd#2836",
    "a line of an environment file that sets nothing is passed over without a word",
    "the release is refused, and the line is named",
)
@pytest.mark.parametrize(
    "line", ["export PAYMENTS=1", "PAYMENTS = 1", " PAYMENTS=1", "PAYMENTS", "=1"]
)
def test_line_that_sets_no_variable_is_refused(tmp_path, monkeypatch, line):
    monkeypatch.setattr(configured, "BASE", tmp_path)
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "odd.env").write_text(f"# a note\n\nFAULT=a=b\n{line}\n")

    with pytest.raises(Refused) as refusal:
        configured.shipped("odd")

    name = line.partition("=")[0]
    assert (
        str(refusal.value) == f"release shipped/odd.env: {name!r} is no NAME=VALUE without quotes"
    )


@pytest.mark.report(
    "docker/for-linux#1208",
    "quotes in a file with variables are a part of the value, or are not",
    "the release is refused, and the line is named",
)
@pytest.mark.parametrize("line", ['FAULT="LGA"', "FAULT='LGA", "PAYMENTS=1 ", "PAYMENTS=1\0"])
def test_line_whose_value_may_be_another_is_refused(tmp_path, monkeypatch, line):
    monkeypatch.setattr(configured, "BASE", tmp_path)
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "odd.env").write_text(f"A=it's 1\n{line}\n")

    with pytest.raises(Refused, match=f"'{line.partition('=')[0]}' is no NAME=VALUE without"):
        configured.shipped("odd")


@pytest.fixture
def children(tmp_path):
    children = Children(tmp_path)
    yield children
    children.end(*children.running(), grace_seconds=0)


@pytest.mark.report(
    "Supervisor/supervisor#1101",
    "a program is killed, and what it has started goes on and keeps its port",
    "what ignores SIGTERM is killed after its grace, with all of its group",
)
def test_release_that_ignores_sigterm_is_killed_with_all_it_has_started(children, tmp_path):
    words = ("sh", "-c", "trap '' TERM; sleep 300 & echo $!; wait")
    children.start("deaf", Command(words, os.environ, tmp_path))
    until(lambda: (tmp_path / "deaf.log").read_text().strip())
    started = int((tmp_path / "deaf.log").read_text())

    children.end("deaf", grace_seconds=0.2)

    until(lambda: ended(started))


@pytest.mark.report(
    "ray-project/ray#59025",
    "the log of a job has gigabytes, and who looks for its last line hangs",
    "only the end of a log is read",
)
def test_last_line_of_a_large_log_is_found_at_once(children, tmp_path):
    with (tmp_path / "large.log").open("wb") as log:
        log.truncate(2**40)  # a hole, which takes no disk
    children.start("large", Command(("sh", "-c", "echo; echo why"), os.environ, tmp_path))
    until(lambda: not children.running())

    assert children.ended("large") == "why"


@pytest.mark.report(
    "gastownhall/gascity#3897",
    "a port is taken, the process dies at once for two days, and the start gives no diagnosis",
    "the supervisor tells the last line of what has ended, each time",
)
def test_child_that_is_started_again_is_told_with_its_last_line(children, tmp_path, capsys):
    for _ in range(2):
        children.start("dead", Command(("sh", "-c", "echo port taken"), os.environ, tmp_path))
        until(lambda: not children.running())

    assert capsys.readouterr().err == "dead has ended (0), and said last: port taken.\n"


@pytest.mark.report(
    "puma/puma#329",
    "the live release restarts, its folder has been cleaned up, and it does not come back",
    "it runs again what was gated, whatever has become of the file",
)
def test_live_release_that_dies_runs_again_what_was_gated(tmp_path, children, monkeypatch):
    monkeypatch.setattr("supervisor.supervisor.PAUSE_SECONDS", 0)
    shipped, log = tmp_path / "shipped", tmp_path / "release-1.log"
    shipped.write_text("gated")

    def command(*_):
        return Command(("echo", shipped.read_text()), os.environ, tmp_path)

    def front(_):
        return Command(("sleep", "300"), os.environ, tmp_path)

    keeping = Supervisor(tmp_path, front, command, None, None)
    keeping.children = children
    state = State("blue_green", (1, 2), Release(1, "good", 1), last=1)
    keeping._make_true(state)
    until(lambda: log.read_text() == "gated\n")

    shipped.unlink()
    until(lambda: "release-1" not in children.running())
    keeping._make_true(state)

    until(lambda: log.read_text() == "gated\n" * 2)


@pytest.mark.report(
    "haproxy/haproxy#868",
    "two proxies listen on one port, and neither says so",
    "the port of the proxy is its own",
)
def test_port_of_the_proxy_is_shared_with_nobody(service):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", service.port))


def test_service_goes_on_while_its_journal_is_damaged(service):
    journal, before = service.folder / "journal.json", service.processes()
    text = journal.read_text()

    journal.write_text(text[: len(text) // 2])
    done = service.order("start", "good")
    time.sleep(0.2)  # four looks of the supervisor
    running = service.processes()
    journal.write_text(text)

    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert done.stderr.startswith("refused: the journal cannot be read: ")
    assert running == before


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


@pytest.mark.report(
    "getpaseo/paseo#3616",
    "the disk is full, no state can be written, and the daemon does not come back",
    "the release that was live serves in its old place",
)
def test_service_begins_on_a_full_disk_where_it_was(service):
    before, live = service.processes(), service.status()["live"]
    draft = service.folder / "journal.draft"
    draft.symlink_to("/dev/full")

    service.begin()
    service.supervisors[-2].kill()
    service.supervisors[-2].wait()

    until(lambda: all(ended(pid) for pid in before.values()))
    until(lambda: service.answers(live["number"]))
    draft.unlink()
    assert service.status()["live"] == live


@pytest.mark.report(
    "docker-library/haproxy#72",
    "the container is stopped, and HAProxy cuts all connections at SIGTERM",
    "the proxy ends once all is answered, and the releases after it",
)
def test_request_that_is_under_way_is_answered_when_the_service_is_stopped(service):
    path = "/api/airports/JFK/export/?seconds=2"
    with ThreadPoolExecutor(1) as asked:
        slow = asked.submit(get, service.port, path, 60)
        until(lambda: busy(service))
        service.supervisors[-1].terminate()
        assert slow.result()[0] == 200

    assert service.supervisors[-1].wait(20) == 0
