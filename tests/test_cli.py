"""The commands as a user meets them: what they say, how they end, what they leave."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from nexus.catalog import ROOT
from nexus.stacks.processes import wait_until

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
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


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
        assert wait_until(lambda: "Ready after" in self.output.read_text(), 30), (
            self.output.read_text()
        )
        self.recorded = json.loads(self.state.read_text())
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: int) -> tuple[int, float]:
        started = time.monotonic()
        os.killpg(self.process.pid, number)
        return self.process.wait(20), time.monotonic() - started

    def left(self) -> list[psutil.Process]:
        return [process for process in self.family if process.is_running()]


@pytest.fixture
def running(env, tmp_path):
    found = Running(env, tmp_path)
    yield found
    found.process.terminate()
    found.process.wait(20)


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
def test_signal_ends_everything_within_five_seconds(running, number, code):
    returned, seconds = running.end(number)

    assert (returned, running.left()) == (code, [])
    assert seconds < 5
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

    assert running.process.wait(10) == 1
    said = running.output.read_text()
    assert "fatal: asked to die" in said
    assert re.search(r"web\.[12] ended with exit code 7; everything else was stopped\.", said)
    assert running.left() == []


def test_taken_port_is_left_alone_and_another_printed(env, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = Running({**env, "NEXUS_WEB_PORT": str(port)}, tmp_path)
        url = found.recorded["url"]
        found.end(signal.SIGTERM)

    assert not url.endswith(f":{port}")
    assert url in found.output.read_text()


def test_without_an_example_the_lab_opens_alone_and_closes_by_signal(env, tmp_path):
    output = tmp_path / "output"
    with output.open("w") as said:
        lab = subprocess.Popen([sys.executable, "-m", "nexus", "run"], env=env, stdout=said)
    assert wait_until(lambda: "Ready after" in output.read_text(), 20), output.read_text()
    address = re.search(r"http://127\.0\.0\.1:\d+/", output.read_text())[0]

    with urllib.request.urlopen(address) as response:
        assert response.status == 200
    lab.send_signal(signal.SIGTERM)

    assert lab.wait(10) == 143
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address)


def test_two_labs_take_different_ports(running, env, tmp_path):
    second = tmp_path / "second"
    with second.open("w") as said:
        lab = subprocess.Popen([sys.executable, "-m", "nexus", "run"], env=env, stdout=said)
    assert wait_until(lambda: "Ready after" in second.read_text(), 20), second.read_text()
    lab.terminate()
    lab.wait(10)

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


def test_claim_about_a_service_that_the_stack_lacks_is_named_and_left_to_the_other(env, tmp_path):
    examples = tmp_path / "examples"
    subprocess.run(["cp", "-r", TOYS, examples], check=True)
    experiments = examples / "toy" / "experiments.py"
    slug = '    slug = "it-keeps-answering"\n'
    experiments.write_text(
        experiments.read_text().replace(slug, f'{slug}    needs = ("rabbitmq",)\n')
    )
    env = {**env, "NEXUS_EXAMPLES": str(examples)}

    done = nexus("prove", "toy", env=env)
    assert done.returncode == 0, done.stderr
    assert (
        "it-keeps-answering needs rabbitmq, which the embedded stack does not have" in done.stdout
    )
    assert "it-answers" in done.stdout

    alone = nexus("prove", "toy", "--claim", "it-keeps-answering", env=env)
    assert alone.returncode == 1
    assert alone.stderr.strip() == "There is nothing to prove on this stack."


def test_verdict_that_differs_from_the_declaration_fails(env, tmp_path):
    examples = tmp_path / "examples"
    subprocess.run(["cp", "-r", TOYS, examples], check=True)
    experiments = examples / "toy" / "experiments.py"
    experiments.write_text(experiments.read_text().replace("else 500", "else 200"))

    done = nexus("prove", "toy", env={**env, "NEXUS_EXAMPLES": str(examples)})

    assert done.returncode == 1
    assert "DIFFERS" in done.stdout
    assert done.stderr.strip() == "At least one verdict differs from what is declared: toy."


@pytest.mark.alone  # it ends what any other test has started
def test_clean_stops_a_running_stack_and_removes_its_data(running, env, tmp_path):
    done = nexus("clean", env=env)

    assert done.returncode == 0
    assert running.left() == []
    assert not (tmp_path / "toy").exists()


def test_without_a_docker_engine_up_says_what_works_instead(env):
    done = nexus("up", "toy", env={**env, "DOCKER_HOST": "unix:///nonexistent.sock"})

    assert done.returncode == 1
    assert (
        done.stderr.strip()
        == "No Docker engine answers; start it. `make run` works without Docker."
    )
