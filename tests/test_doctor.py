"""The doctor names what is missing with the line that mends it, and never hangs."""

import shutil
import socket
import threading
import time
from functools import partial
from types import SimpleNamespace

import pytest

from nexus import doctor
from nexus.doctor import Status

BY_NAME = {
    "docker version --format {{.Server.Version}}": (0, "28.2.0"),
    "docker compose version --short": (0, "2.30.1"),
    "docker manifest inspect redis:8": (0, "{}"),
}


@pytest.fixture
def answers(monkeypatch, tmp_path):
    """What each command answers: all of them well at first, on a machine with enough of all."""
    known = dict(BY_NAME)

    def answer(command, seconds):
        assert seconds <= 2
        if command[-1] == "--version":
            return 0, "uv 0.13.0"
        return known.get(" ".join(command), (1, ""))

    monkeypatch.setattr(doctor, "_answer", answer)
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    monkeypatch.setattr(
        "nexus.doctor.shutil.disk_usage", lambda _: SimpleNamespace(free=50 * 2**30)
    )
    monkeypatch.setattr(
        doctor.psutil, "virtual_memory", lambda: SimpleNamespace(available=8 * 2**30)
    )
    monkeypatch.setattr(
        doctor, "_port", lambda port, _: doctor.Check(f"port {port}", Status.OK, "")
    )
    monkeypatch.setattr("nexus.doctor.shutil.which", lambda name: f"/usr/bin/{name}")
    return known


def row(name):
    return next(check for check in doctor.checks() if check.name == name)


@pytest.mark.parametrize(
    ("command", "answer", "name", "fix"),
    [
        (0, (1, "Cannot connect to the Docker daemon"), "Docker engine", "start"),
        (0, (1, "Permission denied while trying to connect"), "Docker engine", "usermod"),
        (0, (124, ""), "Docker engine", "start"),
        (1, (1, "docker: 'compose' is not a docker command."), "Docker Compose", "plugin"),
        (1, (0, "1.29.2"), "Docker Compose", "Compose 2"),
        (2, (1, "no such host"), "container images", "compose/airgap/build"),
    ],
)
def test_what_limits_containers_is_named_and_exits_0(answers, command, answer, name, fix):
    answers[list(BY_NAME)[command]] = answer

    assert row(name).status == Status.LIMITED
    assert fix in row(name).fix
    assert doctor.main() == 0


def test_without_docker_the_engine_is_to_be_installed(answers, monkeypatch):
    monkeypatch.setattr("nexus.doctor.shutil.which", lambda _: None)
    answers.clear()

    assert "install Docker" in row("Docker engine").fix
    assert doctor.main() == 0


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Python", ("sys.version_info", (3, 11, 9))),
        ("machine", ("platform.machine", lambda: "riscv64")),
        ("machine", ("platform.system", lambda: "Windows")),
        ("machine", ("platform.libc_ver", lambda: ("", ""))),
        ("disk", ("shutil.disk_usage", lambda _: SimpleNamespace(free=2**29))),
        ("memory", ("psutil.virtual_memory", lambda: SimpleNamespace(available=2**28))),
    ],
)
def test_what_prevents_the_embedded_stack_exits_1(monkeypatch, name, change):
    target, value = change
    monkeypatch.setattr("nexus.doctor.platform.system", lambda: "Linux")
    monkeypatch.setattr(f"nexus.doctor.{target}", value)

    assert row(name).status == Status.MISSING
    assert row(name).fix
    assert doctor.main() == 1


@pytest.mark.usefixtures("answers")
def test_a_machine_with_everything_is_ok(capsys):
    assert {check.status for check in doctor.checks()} == {Status.OK}
    assert doctor.main() == 0
    assert "Everything works here" in capsys.readouterr().out


def test_stand_ins_serve_where_no_registry_answers(answers, tmp_path):
    del answers["docker manifest inspect redis:8"]
    (tmp_path / ".nexus").mkdir()
    (tmp_path / ".nexus" / "images.env").write_text("REDIS_IMAGE=a/redis\nPYTHON_IMAGE=a/python\n")
    answers["docker image inspect a/redis a/python"] = (0, "[]")

    assert row("container images") == doctor.Check(
        "container images", Status.OK, "no registry; 2 stand-ins are built"
    )


def test_a_taken_port_is_no_error(port):
    with socket.create_server(("127.0.0.1", port)):
        taken = doctor._port(port, "Redis")

    assert (taken.status, taken.found) == (Status.LIMITED, "taken")
    assert doctor._port(port, "Redis").status == Status.OK


def test_commands_that_hang_are_ended_within_three_seconds(monkeypatch, tmp_path):
    """Of what each probe allows its commands together: the machine may be busy with others."""
    docker = tmp_path / "docker"
    # The grandchild keeps the output open after its parent is gone.
    docker.write_text("#!/bin/sh\nsleep 600 &\nsleep 600\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    started = time.monotonic()
    answer, allowed, own = doctor._answer, [], threading.local()

    def noted(command, seconds):
        own.seconds += seconds
        return answer(command, seconds)

    def summed(probe):
        own.seconds = 0
        check = probe()
        allowed.append(own.seconds)
        return check

    monkeypatch.setattr(doctor, "_answer", noted)
    monkeypatch.setattr(doctor, "PROBES", [partial(summed, probe) for probe in doctor.PROBES])
    made = {check.name: check.status for check in doctor.checks()}

    assert 2 < max(allowed) < 3
    assert time.monotonic() - started < 60
    assert made["Docker engine"] == made["Docker Compose"] == Status.LIMITED


def test_a_missing_command_answers_nothing():
    assert shutil.which("no-such-command") is None
    assert doctor._answer(["no-such-command"], 1) == (127, "")
