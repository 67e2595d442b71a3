"""The commands as a user meets them: what they say, how they end, what they leave."""

import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import redis

from nexus import lifetime
from nexus.bench import bench
from nexus.catalog import ROOT
from nexus.prove import proof_stack
from nexus.stacks import outside
from nexus.stacks.base import silent
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.processes import wait_until
from nexus.stacks.state import AlreadyRuns, owned, project

TOYS = ROOT / "tests" / "examples"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "NEXUS_EXAMPLES": str(TOYS),
        "NEXUS_STATE": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "160",
    }


def nexus(*args: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nexus", *args]
    return subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, timeout=180
    )


class Running:
    """`nexus run toy` in the background, and what it has printed so far."""

    def __init__(self, env: dict[str, str], state: Path) -> None:
        self.state = state / "toy" / "stack.json"
        self.output = state / "output"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "nexus", "run", "toy"],
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        assert wait_until(lambda: "Ready after" in self.output.read_text(), 60), (
            self.output.read_text()
        )
        self.recorded = json.loads(self.state.read_text())
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: int) -> int:
        os.killpg(self.process.pid, number)
        return self.process.wait(60)

    def left(self) -> list[psutil.Process]:
        return left_of_family(self.family)


def left_of_family(family: list[psutil.Process]) -> list[psutil.Process]:
    """Who goes on: a kill takes a moment, but less than the watchdog waits before it ends what is left."""
    return psutil.wait_procs(family, timeout=lifetime.GRACE_SECONDS - 1)[1]


@pytest.fixture
def running(env, tmp_path):
    found = Running(env, tmp_path)
    yield found
    found.process.terminate()
    found.process.wait(60)


def test_unknown_example_is_one_sentence(env):
    done = nexus("run", "nope", env=env)

    assert done.returncode == 2
    assert done.stderr.strip() == "There is no example 'nope'; the examples are: toy."


def test_missing_example_is_one_sentence(env):
    done = nexus("bench", env=env)

    assert done.returncode == 2
    assert done.stderr.strip() == "Which example? EXAMPLE=… is one of: toy."


def test_unknown_claim_is_one_sentence(env):
    done = nexus("prove", "toy", "--claim", "nope", env=env)

    assert done.returncode == 2
    assert (
        done.stderr.strip()
        == "toy has no claim 'nope'; its claims are: it-answers, it-keeps-answering."
    )


def test_unknown_stack_is_one_sentence(env):
    done = nexus("prove", "toy", "--stack", "nope", env=env)

    assert done.returncode == 2
    assert done.stderr.strip() == "There is no stack 'nope'; the stacks are: embedded, compose."


def test_release_that_fails_ends_with_its_sentence(env, tmp_path):
    done = nexus("run", "toy", env={**env, "STAFF_TOKEN": "broken"})

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "TRUSTED_PROXIES: '10.0.0.0/99' is not a network.",
        "toy refuses to start.",
    ]
    assert not (tmp_path / "toy" / "stack.json").exists()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="ctrl-c"),
        pytest.param(signal.SIGTERM, 143, id="sigterm"),
    ],
)
def test_signal_ends_everything_and_kills_nothing(running, number, code):
    returned = running.end(number)

    assert (returned, running.left()) == (code, [])
    # Each has ended by itself, and nobody has waited until it had to be killed.
    logs = running.state.parent / "logs"
    assert "database system is shut down" in (logs / "postgres.log").read_text().splitlines()[-1]
    assert "bye bye" in (logs / "redis.log").read_text().splitlines()[-1]
    assert not running.state.exists()
    assert (running.state.parent / "data" / "redis" / "dump.rdb").exists()


def test_state_file_says_where_everything_is(running):
    state = running.recorded

    with urllib.request.urlopen(f"{state['url']}/healthz") as response:
        assert response.status == 200
    assert state["kind"] == "embedded"
    assert sorted(state["programs"]) == ["postgres", "redis", "web.1"]
    assert all(Path(program["log"]).exists() for program in state["programs"].values())
    assert all(psutil.pid_exists(program["pid"]) for program in state["programs"].values())


def test_second_run_says_that_it_runs_and_where(running, env):
    done = nexus("run", "toy", env=env)

    assert done.returncode == 0
    assert done.stdout.startswith(f"toy already runs: {running.recorded['url']}")


def test_curl_lines_to_try_bear_the_real_address(running):
    assert f"curl {running.recorded['url']}/healthz" in running.output.read_text()


def test_program_that_dies_ends_the_run_with_its_last_lines(running):
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        urllib.request.urlopen(f"{running.recorded['url']}/die")

    assert running.process.wait(60) == 1
    said = running.output.read_text()
    assert "fatal: asked to die" in said
    assert re.search(r"web\.[12] ended with exit code 7; everything else was stopped\.", said)
    assert running.left() == []


def test_taken_port_is_left_alone_and_another_printed(env, tmp_path, port):
    # Not of those that systems give to outgoing connections: one could have the neighbour by then.
    with socket.create_server(("127.0.0.1", port)):
        found = Running({**env, "NEXUS_WEB_PORT": str(port)}, tmp_path)
        url = found.recorded["url"]
        found.end(signal.SIGTERM)

    assert not url.endswith(f":{port}")
    assert url in found.output.read_text()


def test_without_an_example_the_lab_opens_alone_and_closes_by_signal(env, tmp_path, port):
    output = tmp_path / "output"
    # The documented port another test's lab could take as soon as this one has closed.
    env |= {"NEXUS_LAB_PORT": str(port + 1)}
    with output.open("w") as said:
        lab = subprocess.Popen([sys.executable, "-m", "nexus", "run"], env=env, stdout=said)
    assert wait_until(lambda: "Ready after" in output.read_text(), 60), output.read_text()
    address = re.search(r"http://127\.0\.0\.1:\d+/", output.read_text())[0]

    with urllib.request.urlopen(address) as response:
        assert response.status == 200
    lab.send_signal(signal.SIGTERM)

    assert lab.wait(60) == 143
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address)


def test_two_labs_take_different_ports(running, env, tmp_path):
    second = tmp_path / "second"
    with second.open("w") as said:
        lab = subprocess.Popen([sys.executable, "-m", "nexus", "run"], env=env, stdout=said)
    assert wait_until(lambda: "Ready after" in second.read_text(), 60), second.read_text()
    lab.terminate()
    lab.wait(60)

    addresses = {
        re.search(r"open at (http://127\.0\.0\.1:\d+)/", text)[1]
        for text in (running.output.read_text(), second.read_text())
    }
    assert len(addresses) == 2


def test_proof_prints_a_table_and_leaves_nothing(env, tmp_path):
    done = nexus("prove", "toy", env=env)

    assert done.returncode == 0
    assert re.search(r"it-answers.*slow.*refuted.*refuted.*status 500, 200 expected", done.stdout)
    assert list((tmp_path / "toy" / "proofs").iterdir()) == []


def test_proofs_in_a_row_are_counted_and_never_recorded(env):
    done = nexus("prove", "toy", "--claim", "it-answers", "--times", "3", env=env)

    assert done.returncode == 0, done.stderr
    assert re.search(r"it-answers +\S+ slow +\S+ 3 of 3 +\S+ 500 +\S+ 200", done.stdout)

    recorded = nexus("prove", "toy", "--times", "3", "--record", env=env)
    assert recorded.returncode == 2
    assert recorded.stderr.strip() == (
        "TIMES is for looking: it goes with neither RECORD=1 nor COVERAGE=1."
    )


def test_claim_about_a_service_that_the_stack_lacks_is_named_and_left_to_the_other(env, tmp_path):
    examples = tmp_path / "examples"
    subprocess.run(["cp", "-r", TOYS, examples], check=True)
    experiments = examples / "toy" / "experiments" / "it_keeps_answering.py"
    slug = '    slug = "it-keeps-answering"\n'
    experiments.write_text(experiments.read_text().replace(slug, f'{slug}    needs = ("kafka",)\n'))
    env = {**env, "NEXUS_EXAMPLES": str(examples)}

    done = nexus("prove", "toy", env=env)
    assert done.returncode == 0, done.stderr
    assert "it-keeps-answering needs kafka, which the embedded stack does not have" in done.stdout
    assert "it-answers" in done.stdout

    alone = nexus("prove", "toy", "--claim", "it-keeps-answering", env=env)
    assert alone.returncode == 1
    assert alone.stderr.strip() == "There is nothing to prove on this stack."


def test_verdict_that_differs_from_the_declaration_fails(env, tmp_path):
    examples = tmp_path / "examples"
    subprocess.run(["cp", "-r", TOYS, examples], check=True)
    experiments = examples / "toy" / "experiments" / "it_answers.py"
    experiments.write_text(experiments.read_text().replace("else 500", "else 200"))

    done = nexus("prove", "toy", env={**env, "NEXUS_EXAMPLES": str(examples)})

    assert done.returncode == 1
    assert "DIFFERS" in done.stdout
    assert done.stderr.strip() == "At least one verdict differs from what is declared: toy."


def test_clean_stops_a_running_stack_and_removes_its_data(running, env, tmp_path):
    done = nexus("clean", env=env)

    assert done.returncode == 0
    assert running.left() == []
    assert not (tmp_path / "toy").exists()
    assert outside_of(tmp_path) == []


def outside_of(state: Path) -> list[str]:
    """Whose folders lie outside of every home, of those in `state`."""
    owners = []
    for note in outside.BASE.glob("*.owner"):
        with suppress(FileNotFoundError):  # of another test's stack, which has just ended
            owners.append(note.read_text().strip())
    return [owner for owner in owners if Path(owner).is_relative_to(state)]


def test_clean_ends_a_stack_that_is_still_starting_wherever_it_is(env, tmp_path):
    left = tmp_path / "toy" / "stack.lock"
    left.parent.mkdir(parents=True)
    left.write_text(f"{os.getpid()} 0.0")  # of one that was killed, and whose number is ours now
    script = "import sys, signal; from pathlib import Path; from nexus.stacks.state import owned\n"
    script += "with owned(Path(sys.argv[1])): print('starting', flush=True); signal.pause()"
    with subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "toy" / "proofs" / "embedded-1-1"],
        env=env,
        stdout=subprocess.PIPE,
    ) as starting:
        assert starting.stdout.readline() == b"starting\n"
        done = nexus("clean", env=env)

        assert starting.wait(60) == -signal.SIGTERM
    # It may remove containers, too: of other checkouts that are gone.
    said = [line for line in done.stdout.splitlines() if "containers" not in line]
    assert said == ["stopped toy/proofs/embedded-1-1", "removed .nexus"]


@pytest.mark.compose
@pytest.mark.usefixtures("needs_engine")
def test_clean_removes_containers_of_this_checkout_and_of_those_that_are_gone(env, tmp_path):
    here, gone = tmp_path / "examples" / "toy", tmp_path / "gone" / "examples" / "toy"
    here.mkdir(parents=True)
    own = f"nexus-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}-toy"
    other, abandoned = f"nexus-other-{os.getpid()}", f"nexus-abandoned-{os.getpid()}"
    nothing = tmp_path / "nothing.tar"
    tarfile.open(nothing, "w").close()
    image = docker("import", nothing)
    for name, folder in ((own, here), (other, here), (abandoned, gone)):
        docker("tag", image, f"{name}-web")
        labels = [*label("project", name), *label("project.working_dir", folder)]
        volume = docker("volume", "create", *labels)
        docker("create", *labels, "--volume", f"{volume}:/data", f"{name}-web", "true")
    try:
        done = nexus("clean", env=env)

        said = "removed the containers, networks, volumes and images of "
        assert {line for line in done.stdout.splitlines() if line.startswith(said)} >= {
            f"{said}{own}",
            f"{said}{abandoned}",
        }
        assert [left_of(name) for name in (own, abandoned)] == [[], []]
        assert len(left_of(other)) == 3
    finally:
        container, volume, _ = left_of(other)
        docker("rm", container)
        docker("volume", "rm", volume)
        docker("rmi", f"{other}-web")


def left_of(name: str) -> list[str]:
    """Containers, volumes and images of a compose project."""
    own = f"label=com.docker.compose.project={name}"
    listings = [["ps", "-a", "-f", own], ["volume", "ls", "-f", own], ["images", f"{name}-web"]]
    return [each for listing in listings for each in docker(*listing, "-q").split()]


def label(name: str, value: object) -> list[str]:
    return ["--label", f"com.docker.compose.{name}={value}"]


def docker(*args: object) -> str:
    done = subprocess.run(["docker", *map(str, args)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_benchmark_begins_on_empty_services_and_leaves_no_data(toy, monkeypatch, tmp_path, capfd):
    monkeypatch.setattr("nexus.bench.ROOT", tmp_path)
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "toy.py").write_text(
        "import os, socket, sys, urllib.parse\n"
        "url = urllib.parse.urlsplit(os.environ['REDIS_URL'])\n"
        "connection = socket.create_connection((url.hostname, url.port))\n"
        "connection.sendall(f'AUTH {url.password}\\r\\nSET left yes\\r\\nDBSIZE\\r\\n'.encode())\n"
        "answers = connection.makefile()\n"
        "print([next(answers).strip() for _ in range(3)])\n"
        "with open(sys.argv[-1], 'w') as table:\n"
        '    table.write(\'{"columns": [], "rows": [], "versions": {}}\')\n'
    )
    state = tmp_path / "toy" / "bench"
    with (
        EmbeddedStack(toy, state, services_only=True) as killed,
        redis.Redis.from_url(killed.services["redis"]) as store,
    ):
        store.set("of a killed one", "yes")

    for _ in range(2):
        bench(toy, silent, record=False)

        assert "['+OK', '+OK', ':1']" in capfd.readouterr().out
    assert not state.exists()
    assert outside_of(state) == []
    with owned(state), pytest.raises(AlreadyRuns, match="Another process"):
        bench(toy, silent, record=False)


def test_proof_removes_the_data_of_those_that_were_killed_and_of_no_other(toy, tmp_path):
    proofs = tmp_path / "toy" / "proofs"
    for name in ("killed", "running"):
        for part in ("data", "logs"):
            (proofs / name / part).mkdir(parents=True)

    with owned(proofs / "running"), proof_stack(toy, "embedded") as stack:
        assert stack.state.parent == proofs

    assert sorted(path.name for path in (proofs / "killed").iterdir()) == ["logs", "stack.lock"]
    assert (proofs / "running" / "data").exists()
    assert not stack.state.exists()


def test_two_checkouts_call_their_containers_differently(monkeypatch, tmp_path):
    names = set()
    for folder in ("one", "two"):
        monkeypatch.setattr("nexus.stacks.state.STATE", tmp_path / folder)
        names.add(project("toy"))

    assert len(names) == 2
    assert all(re.fullmatch(r"nexus-[0-9a-f]{8}-toy", name) for name in names)


@pytest.fixture(params=["no client", "no engine"])
def engineless(request, env, tmp_path) -> tuple[dict[str, str], str]:
    """A machine without a Docker engine, and the sentence for it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    if request.param == "no client":
        return {**env, "PATH": str(programs)}, "Docker is not installed."
    client = programs / "docker"
    client.write_text("#!/bin/sh\necho Cannot connect >&2\nexit 1\n", encoding="utf-8")
    client.chmod(0o755)
    return {**env, "PATH": f"{programs}:/bin:/usr/bin"}, "No Docker engine answers; start it."


@pytest.mark.parametrize("started_before", [False, True])
def test_without_a_docker_engine_up_says_what_works_instead(engineless, tmp_path, started_before):
    env, sentence = engineless
    if started_before:  # and the engine has ended since
        (tmp_path / "toy").mkdir()
        (tmp_path / "toy" / "compose.env").touch()
        (tmp_path / "toy" / "stack.json").write_text('{"url": "http://127.0.0.1:1"}')

    up, down = nexus("up", "toy", env=env), nexus("down", "toy", env=env)

    assert (up.returncode, down.returncode) == (1, 1)
    assert up.stderr.strip() == f"{sentence} `make run` works without Docker."
    assert down.stderr.strip() == sentence


def test_lab_and_example_start_behind_a_proxy_and_in_a_shell_full_of_variables(env, tmp_path):
    foreign = {
        "http_proxy": "http://127.0.0.1:9",
        "PORT": "3000",
        "PGSSLMODE": "require",
        "PGHOST": "elsewhere",
        "LC_ALL": "en_US.ISO-8859-1",
    }
    found = Running({**env, **foreign}, tmp_path)

    code = found.end(signal.SIGTERM)

    assert code == 143
    assert re.search(r"takes \d+ MB of memory", found.output.read_text(encoding="utf-8"))


def test_folder_of_somebody_else_is_one_sentence(env, tmp_path):
    (tmp_path / "toy").symlink_to(tmp_path)

    done = nexus("run", "toy", env=env)

    assert done.returncode == 1
    assert done.stderr.strip().endswith(
        "is not a folder of yours: remove it, or run as the user whose it is."
    )


@pytest.mark.parametrize("milliseconds", [0, 5, 10])
def test_ctrl_c_while_the_web_process_is_started_leaves_nothing(env, tmp_path, milliseconds):
    with subprocess.Popen(
        [sys.executable, "-m", "nexus", "run", "toy"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as run:
        while b"starting web" not in (line := run.stdout.readline()):
            assert line, "it ended"
        family = psutil.Process(run.pid).children(recursive=True)
        time.sleep(milliseconds / 1000)
        os.killpg(run.pid, signal.SIGINT)
        run.stdout.read()

    assert run.returncode == 130
    assert left_of_family(family) == []
    inside = [each for each in psutil.process_iter() if lives_in(each, tmp_path)]
    assert left_of_family(inside) == []


def lives_in(process: psutil.Process, state: Path) -> bool:
    try:
        return str(state) in " ".join(process.environ().values())
    except psutil.Error:
        return False
