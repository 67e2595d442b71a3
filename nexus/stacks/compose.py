"""The compose stack: the example's compose.yml, started through testcontainers."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Literal

from testcontainers.compose import DockerCompose

from nexus import private
from nexus.catalog import Example
from nexus.environment import STATE
from nexus.stacks import base
from nexus.stacks.addresses import ADDRESSES
from nexus.stacks.base import Progress, StackError, WoundedStack, silent
from nexus.stacks.containers import Container, asking, told
from nexus.stacks.ports import WEB_PORT
from nexus.stacks.processes import wait_until
from nexus.stacks.state import secret
from nexus.stacks.variables import of_docker, overrides, passed_on

IMAGES = STATE / "images.env"  # written by compose/airgap/build where no image registry answers
ADDRESS_SECONDS = 1.5  # the examples' load balancers look a name up again after one second
KILL_SECONDS = 5
TIMED_OUT = (124, 128 + signal.SIGKILL)  # what coreutils' `timeout` returns: ended, and killed
DEFAULT_KEY = "development-only-"  # with which the SECRET_KEY begins that compose files publish


def engine_problem() -> str | None:
    """Why containers cannot be started here, in one sentence; None when they can."""
    if shutil.which("docker") is None:
        return "Docker is not installed."
    for command, problem in (
        (
            ["docker", "info", "--format", "{{.ServerVersion}}"],
            "No Docker engine answers; start it.",
        ),
        (["docker", "compose", "version", "--short"], "Docker's compose plugin is not installed."),
    ):
        try:
            done = subprocess.run(
                command, capture_output=True, check=False, timeout=20, env=of_docker()
            )
        except subprocess.TimeoutExpired:
            return f"`{' '.join(command[:2])}` does not answer."
        if done.returncode:
            return problem
    return None


class NamedCompose(DockerCompose):
    """DockerCompose with a project name, so that two stacks of one example do not meet.

    Raises:
        StackError: from each of its methods, when Docker is away or refuses.
    """

    project: str = ""

    @cached_property
    def compose_command_property(self) -> list[str]:
        binary, compose, *rest = super().compose_command_property
        return [binary, compose, "--ansi", "never", "--project-name", self.project, *rest]

    def _run_command(
        self, cmd: str | list[str], context: str | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        folder = context or str(self.context)
        try:
            done = subprocess.run(
                cmd, capture_output=True, check=False, cwd=folder, env=of_docker()
            )
        except FileNotFoundError:
            raise StackError("Docker is not installed.") from None
        if done.returncode:
            own = self.compose_command_property
            asked = ["docker", "compose", *cmd[len(own) :]] if [*cmd[: len(own)]] == own else cmd
            said = done.stderr.decode(errors="replace").strip().splitlines()[-12:]
            raise StackError(f"`{' '.join(asked)}` failed.", "\n".join(said), code=done.returncode)
        return done


class ComposeStack(WoundedStack):
    """Starts on `start_all`, ends on `close`; a context manager does both.

    Args:
        project: compose project name; containers, networks and volumes carry it.
    """

    kind: Literal["embedded", "compose"] = "compose"

    def __init__(
        self,
        example: Example,
        state: Path,
        project: str,
        *,
        preferred_ports: bool = False,
        services_only: bool = False,
        progress: Progress = silent,
    ) -> None:
        super().__init__(
            example,
            state,
            preferred_ports=preferred_ports,
            services_only=services_only,
            progress=progress,
        )
        self._env_file = state / "compose.env"
        # An overlay: by itself compose.yml publishes no port of a store; its password there is known.
        self._published = state / "published.json"
        self._declared: dict[str, dict[str, object]] = self.example.compose["services"]
        self._compose = NamedCompose(
            context=str(example.path),
            compose_file_name=["compose.yml", str(self._published)],
            env_file=str(self._env_file),
            build=not services_only,
            wait=False,
            services=self._chosen(),
        )
        self._compose.project = project

    def start_all(self) -> None:
        """Build, start and wait for every healthcheck and for the example to answer.

        Raises:
            StackError: no engine, or a container does not become healthy; `log` holds its last lines.
        """
        if problem := engine_problem():
            raise StackError(f"{problem} `make run` works without Docker.")
        self._choose_ports()
        if overrides().get("SECRET_KEY", "").startswith(DEFAULT_KEY):
            self.progress(
                "SECRET_KEY is the one that compose.yml publishes: whoever reads it can sign for this service"
            )
        self.progress("building images and starting containers")
        try:
            self._compose.start()
        except StackError as error:
            raise StackError("The containers did not start.", self._explain(error.log)) from error
        self.progress("waiting for healthchecks")
        try:
            self.wait_ready(90)
        except StackError as error:
            raise StackError(str(error), self._explain()) from error
        self._record_state()

    def close(self) -> None:
        """Remove containers, networks, volumes and the images built for this project."""
        for name, wound in self._wounds.items():
            if wound == "paused":
                with suppress(StackError):  # an interrupted pause may not have come about
                    self._resume(name)
        if self._env_file.exists():
            if not self._published.exists():  # started by a harness that wrote none
                private.write(self._published, "{}")
            # Also what a profile has started; the data goes with it, and no longer grace would save any.
            down = ("down", "--timeout", "1", "--volumes", "--remove-orphans", "--rmi", "local")
            self._run("--profile", "*", *down)
        self._ports.give_back()
        (self.state / "stack.json").unlink(missing_ok=True)

    def discard_data(self) -> None:
        # The volumes are gone with the containers.
        self._env_file.unlink(missing_ok=True)

    def programs(self) -> dict[str, dict[str, str | int]]:
        return {
            one.name: {"container": one.id, "service": one.service} for one in self._containers()
        }

    def _manage(self, args: Sequence[str], of: str) -> str:
        # Within the container: what ended here, the client, would leave the command there.
        limit = ["timeout", f"--kill-after={KILL_SECONDS}", f"{self.manage_seconds:g}"]
        command = [*limit, "python", "manage.py", *args]
        try:
            out, _, _ = self._compose.exec_in_container(command, service_name=of)
        except StackError as error:
            if error.code in TIMED_OUT:
                raise TimeoutError from None
            raise StackError(f"{base.told(args)} failed.", error.log) from error
        return str(out)

    def environment(self) -> dict[str, str]:
        """Environment of a program outside of the containers that uses their services."""
        env = passed_on() | {
            "SECRET_KEY": secret(self.state, "secret_key"),
            "STAFF_TOKEN": self.staff_token,
        }
        return env | {
            address.told_as: self.services[name]
            for name, address in ADDRESSES.items()
            if address.told_as and name in self.services
        }

    def logs(self, *names: str) -> str:
        """The log lines of `names`, or of all containers."""
        out, _ = self._compose.get_logs(*names)
        return str(out)

    def names(self) -> list[str]:
        return list(self._declared)

    def _chosen(self) -> list[str] | None:
        """The services to start; None: all of the file, but those of a profile."""
        if not self.services_only:
            return None
        return [
            name for name, address in ADDRESSES.items() if address.told_as and self._starts(name)
        ]

    def _starts(self, name: str) -> bool:
        return name in self._declared and "profiles" not in self._declared[name]

    def _choose_ports(self) -> None:
        # Fixed before the start: Docker gives a container another random port each time it restarts.
        port = self._port(WEB_PORT)
        self.url = f"http://127.0.0.1:{port}"
        env = {
            "PORT": str(port),
            "SECRET_KEY": secret(self.state, "secret_key"),
            "STAFF_TOKEN": self.staff_token,
        }
        published: dict[str, dict[str, list[str]]] = {}
        for name, address in ADDRESSES.items():
            if not self._starts(name):
                continue
            if address.password:
                port, password = self._port(address.port), secret(self.state, f"{name}.password")
                env[address.password] = password
                published[name] = {"ports": [f"127.0.0.1:{port}:{address.port}"]}
                self.services[name] = address.url(port, password)
            elif address.publish and address.publish in str(self._declared[name].get("ports")):
                env[address.publish] = str(port := self._port(address.port))
                self.services[name] = address.url(port)
        env |= overrides()
        private.make_folder(self.state)
        lines = [f"{name}={value}\n" for name, value in env.items()]
        images = IMAGES.read_text(encoding="utf-8") if IMAGES.exists() else ""
        private.write(self._env_file, images + "".join(lines))
        private.write(self._published, json.dumps({"services": published}))

    def _explain(self, said: str = "") -> str:
        """Add to what Docker said the last lines of the containers that failed."""
        with suppress(StackError):  # without an engine there are none
            if failed := self._failed():
                said += "\n" + "\n".join(self.logs(*failed).splitlines()[-20:])
        return said.strip()

    def _failed(self) -> list[str]:
        """Services that ended badly; if none did, those that run and are not healthy."""
        containers = self._containers(ended=True)
        ended = [one.service for one in containers if one.state == "exited" and one.exit_code]
        sick = [
            one.service for one in containers if one.state == "running" and one.health != "healthy"
        ]
        return ended or sick

    def _run(self, *args: str) -> None:
        self._compose._run_command([*self._compose.compose_command_property, *args])

    def _ready(self) -> bool:
        if self._waiting_for():
            return False
        return self.services_only or self._answers()

    def _waiting_for(self, name: str | None = None) -> list[str]:
        """Containers, of one service or of all, that neither are healthy nor ended in good order."""
        return [
            one.name
            for one in self._containers(ended=True)
            if name in (None, one.service)
            and not (one.state == "running" and self._healthy(one.service, one.health))
            and not (one.state == "exited" and one.exit_code == 0)
        ]

    def _containers(self, *, ended: bool = False) -> list[Container]:
        done = self._compose._run_command(asking(self._compose.project, ended=ended))
        return [*told(done.stdout.decode())]

    def _healthy(self, name: str, health: str) -> bool:
        # In its first moment a container has no health yet, whatever its healthcheck will say.
        return health == "healthy" or (
            not health and "healthcheck" not in self._declared.get(name, {})
        )

    def _stop(self, name: str) -> None:
        grace = self.example.grace_seconds(name, 5)
        self._run("stop", "--timeout", f"{grace:.0f}", name)

    def _kill(self, name: str) -> None:
        self._run("kill", name)

    def _start(self, name: str) -> None:
        # `docker compose start` would look at what the service depends on first, which takes it 2 s.
        self._order("start", name, ended=True)
        # Docker's proxy accepts connections before the service listens: only its healthcheck knows.
        if not wait_until(lambda: not self._waiting_for(name), 60):
            raise StackError(f"{name} did not become healthy within 60 s.", self.logs(name)[-2000:])

    def _pause(self, name: str) -> None:
        self._order("pause", name)

    def _resume(self, name: str) -> None:
        self._order("unpause", name)

    def _order(self, command: str, name: str, *, ended: bool = False) -> None:
        """Have the engine do it to each container of a service; compose is content with none."""
        containers = [one.name for one in self._containers(ended=ended) if one.service == name]
        self._compose._run_command(["docker", command, *containers])

    def _scale(self, process: str, count: int) -> int:
        before = sum(one.service == process for one in self._containers())
        self._run(
            "up", "--detach", "--no-recreate", "--no-deps", "--scale", f"{process}={count}", process
        )
        if count < before:
            # The load balancer may send to a replica that is gone for as long as its DNS answer lives.
            time.sleep(ADDRESS_SECONDS)
            # On a busy machine it lives longer: all replicas take their turns twice.
            wait_until(lambda: all(self._answers() for _ in range(2 * before)), 60)
        return before
