"""The embedded stack: services from wheels and the Procfile's processes, on this machine."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Literal

from nexus import lifetime, private
from nexus.catalog import Example
from nexus.environment import ensure_environment
from nexus.mine import Mine
from nexus.stacks import base, outside, readers
from nexus.stacks.addresses import ADDRESSES
from nexus.stacks.base import Progress, StackError, WoundedStack, silent
from nexus.stacks.offered import embedded, missing, startable
from nexus.stacks.ports import LIVE_PORT, WEB_PORT
from nexus.stacks.processes import Child, wait_until
from nexus.stacks.services import Service, Site
from nexus.stacks.state import secret
from nexus.stacks.variables import PROCESS, overrides, passed_on

GRACE_SECONDS = 3.0
# Who has saved a file waits, and Celery takes two seconds to end with nothing to do.
RENEWAL_GRACE_SECONDS = 0.5
# As Docker gives it: on a busy disk PostgreSQL needs longer for its last checkpoint, and killed it would
# have to recover at its next start.
SERVICE_GRACE_SECONDS = 10.0
# The load generator is the outermost proxy of the story: it names the client in X-Forwarded-For.
TRUSTED_PROXIES = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"


class EmbeddedStack(WoundedStack):
    """Starts on `start_all`, ends on `close`; a context manager does both.

    Args:
        replicas: how many web processes.
        workers: server processes of each, WEB_CONCURRENCY.
        dev: install what the example's own tests need as well.
        mine: the reader's own variant, loaded if it can be.
        watched: environment of whatever watches the example's processes.
    """

    kind: Literal["embedded", "compose"] = "embedded"

    def __init__(
        self,
        example: Example,
        state: Path,
        *,
        replicas: int = 1,
        workers: int = 2,
        preferred_ports: bool = False,
        services_only: bool = False,
        dev: bool = False,
        mine: Mine | None = None,
        watched: Mapping[str, str] | None = None,
        progress: Progress = silent,
    ) -> None:
        super().__init__(
            example,
            state,
            preferred_ports=preferred_ports,
            services_only=services_only,
            progress=progress,
        )
        self.replicas = replicas
        self.workers = workers
        self._dev = dev
        self._watched = watched or {}
        self._mine = mine
        self._services: dict[str, Service] = {}
        self._processes: dict[str, list[Child]] = {}
        self._held = ExitStack()

    def start_all(self) -> None:
        """Start services, run `release`, start the processes, wait until they answer.

        Raises:
            StackError: something does not start; `log` holds its last lines.
        """
        private.make_folder(self.state)
        self.progress("installing packages")
        self.bin = ensure_environment(self.example, dev=self._dev)
        self._start_services()
        if not self.services_only:
            self._start_processes()
        self._record_state()

    def close(self) -> None:
        """Stop everything; returns within about `GRACE_SECONDS` + `SERVICE_GRACE_SECONDS` + 2 s."""
        children = [child for group in self._processes.values() for child in group]
        for child in children:
            child.terminate()
        _end_all(children)
        services = [service.child for service in self._services.values()]
        for child in services:
            child.terminate()
        _end_all(services, SERVICE_GRACE_SECONDS)
        self._ports.give_back()
        self._held.close()
        shutil.rmtree(self.state / "tmp", ignore_errors=True)
        (self.state / "stack.json").unlink(missing_ok=True)

    def load_mine(self) -> None:
        """Read the reader's own variant again, in new processes; one that does not load changes nothing.

        Raises:
            StackError: the example does not run without it either.
        """
        if self._mine is None:
            return
        self.mine_fault = self._load(self._mine)
        if self.mine_fault:
            return
        try:
            self._renew(self._outdated)
        except StackError as error:
            self.mine_fault = f"{error} {error.log}"
            shutil.rmtree(self.state / "mine", ignore_errors=True)
            self._renew(lambda _: True)

    def discard_data(self) -> None:
        remove_data(self.state)

    def children(self) -> dict[str, Child]:
        """Every running program by name: `redis`, `web.1`."""
        found = {name: service.child for name, service in self._services.items()}
        for group in self._processes.values():
            found |= {child.name: child for child in group}
        return found

    def programs(self) -> dict[str, dict[str, str | int]]:
        return {
            name: {"pid": child.pid, "log": str(child.log)}
            for name, child in self.children().items()
        }

    def dead(self) -> Child | None:
        """A program that ended although nobody stopped it."""
        wounded = set(self._wounds)
        for child in self.children().values():
            if not child.alive and child.name.split(".")[0] not in wounded:
                return child
        return None

    def environment(self) -> dict[str, str]:
        """Environment of the example's processes."""
        env = passed_on()
        env |= {
            "PATH": f"{self.bin}{os.pathsep}{env.get('PATH', os.defpath)}",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "0",
            "HOST": "127.0.0.1",
            "PORT": self.url.rpartition(":")[2],
            "WEB_CONCURRENCY": str(self.workers),
            "WEB_REPLICAS": str(self.replicas),
            "TRUSTED_PROXIES": TRUSTED_PROXIES,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "SECRET_KEY": secret(self.state, "secret_key"),
            "STAFF_TOKEN": self.staff_token,
            "PROMETHEUS_MULTIPROC_DIR": str(self.state / "metrics"),
            # What the example keeps on disk: it is as old as the data of the services, and goes with it.
            "STATE_FOLDER": str(self.state / "files"),
        }
        if not self.services_only:
            env["TMPDIR"] = str(self.state / "tmp")
        if "live" in self.services:
            env["LIVE_PORT"] = self.services["live"].rpartition(":")[2]
        env |= overrides()
        for service in self._services.values():
            env |= service.env
        env |= self._watched
        if self._mine:
            env |= readers.noting(self._loaded, env)
        return env

    def _manage(self, args: Sequence[str], of: str) -> str:
        del of  # one environment serves all processes
        command = [str(self.bin / "python"), "manage.py", *args]
        limit, where = self.manage_seconds, self.example.path
        try:
            done = lifetime.run(command, timeout_seconds=limit, cwd=where, env=self.environment())
        except TimeoutExpired:
            raise TimeoutError from None
        if done.returncode:
            raise StackError(f"{base.told(args)} failed.", done.stderr[-2000:])
        return done.stdout

    def logs(self, *names: str) -> str:
        """The log lines of `names`, or of all services and processes."""
        return "\n".join(
            path.read_text(encoding="utf-8", errors="replace")
            for path in sorted((self.state / "logs").glob("*.log"))
            if not names or path.name.split(".")[0] in names
        )

    def names(self) -> list[str]:
        return [*self._services, *self._processes]

    def _start_services(self) -> None:
        declared = self.example.compose["services"]
        # Chosen first: a service in front of the web process has to know it.
        self._web_port = self._port(WEB_PORT)
        if "live" in self.example.procfile and not self.services_only:
            port = self._port(LIVE_PORT)
            self.services["live"] = f"http://127.0.0.1:{port}"
        for name in declared:
            if name in missing():
                self.progress(f"without {name} ({missing()[name]})")
        # An example's own tests and its benchmark meet the same services on every machine.
        for name in startable(self.example, stores_only=self.services_only):
            port = self._port(ADDRESSES[name].port)
            data, log = self.state / "data" / name, self.state / "logs" / f"{name}.log"
            site = Site(
                port=port,
                data=data,
                log=log,
                example=self.example.path,
                web_port=self._web_port,
                another=self._ports.take,
                outside=lambda owner: self._held.enter_context(outside.taken(owner)),
                command=declared[name].get("command", ()),
            )
            service = embedded()[name](site)
            self._services[name] = service
            self.services[name] = service.url
            self.progress(f"starting {name} on port {port}")
            service.child.start()
        for service in self._services.values():
            self._wait(service.child, service.ready)

    def _start_processes(self) -> None:
        self.url = f"http://127.0.0.1:{self._web_port}"
        # Counters of worker processes that are gone would be summed into those of this run.
        for name in ("metrics", "tmp"):
            shutil.rmtree(self.state / name, ignore_errors=True)
            (self.state / name).mkdir(parents=True)
        if self._mine:
            self.progress(f"reading {self._mine.shown}")
            shutil.rmtree(self.state / "mine", ignore_errors=True)
            self.mine_fault = self._load(self._mine)
        self._release()
        for process in self.example.procfile:
            if process != "release":
                self.progress(f"starting {process}")
                count = self.replicas if process == "web" else 1
                self._processes[process] = []
                self._scale(process, count)
        self._wait_answers()

    @property
    def _loaded(self) -> Path:
        return self.state / "mine" / "loaded"

    def _load(self, mine: Mine) -> str:
        readers.prepare(self._loaded)
        return mine.load(self.bin / "python", self.environment(), self.state / "mine")

    def _wait_answers(self) -> None:
        for group in self._processes.values():
            for child in group:
                self._wait(child, self._answers)

    def _outdated(self, child: Child) -> bool:
        return not child.alive or readers.may_be_outdated(self._loaded, child.env)

    def _renew(self, due: Callable[[Child], bool]) -> None:
        """Put new processes, with the environment of now, in the place of those that are due."""
        with self._hands:
            groups = {
                name: group for name, group in self._processes.items() if any(map(due, group))
            }
            counts = {name: len(group) for name, group in groups.items()}
            # Noted first: whoever watches for programs that end by themselves must not see these.
            self._wounds |= dict.fromkeys(counts, "stopped")
            try:
                outdated = self._targets(*counts)
                for child in outdated:
                    child.terminate()
                _end_all(outdated, RENEWAL_GRACE_SECONDS)
                for name, count in counts.items():
                    self._processes[name].clear()
                    self._scale(name, count)
                self._wait_answers()
            finally:
                for name in counts:
                    self._wounds.pop(name, None)

    def _release(self) -> None:
        if "release" not in self.example.procfile:
            return
        self.progress("running release")
        release = self._child("release", self.example.procfile["release"])
        release.log.unlink(missing_ok=True)
        self._processes["release"] = [release]  # where `close` finds it, if the start is given up
        release.start()
        wait_until(lambda: not release.alive, 120)
        ended_well = release.exit_code == 0
        release.kill()
        if not ended_well:
            raise StackError(f"{self.example.name} refuses to start.", release.tail())
        del self._processes["release"]

    def _child(self, name: str, command: str) -> Child:
        log = self.state / "logs" / f"{name}.log"
        env = {**self.environment(), PROCESS: name}
        return Child(name, command, env, self.example.path, log)

    def _wait(self, child: Child, ready: Callable[[], bool]) -> None:
        # Asked once: on a busy machine a second answer may not come in time, and prove nothing.
        answered = wait_until(lambda: ready() or not child.alive, 60)
        if not child.alive:
            raise StackError(f"{child.name} ended with exit code {child.exit_code}.", child.tail())
        if not answered:
            raise StackError(f"{child.name} did not become ready within 60 s.", child.tail())

    def _ready(self) -> bool:
        if any(not child.alive for child in self.children().values()):
            return False
        if not all(service.ready() for service in self._services.values()):
            return False
        return self.services_only or self._answers()

    def _targets(self, *names: str) -> list[Child]:
        services = [self._services[name].child for name in names if name in self._services]
        processes = [self._processes[name] for name in names if name in self._processes]
        return [*services, *chain.from_iterable(processes)]

    def _stop(self, *names: str) -> None:
        # Asked all at once: each takes its time.
        for child in self._targets(*names):
            child.terminate()
        for name in names:
            grace = SERVICE_GRACE_SECONDS if name in self._services else GRACE_SECONDS
            _end_all(self._targets(name), self.example.grace_seconds(name, grace))

    def _kill(self, name: str) -> None:
        for child in self._targets(name):
            child.kill()

    def _start(self, name: str) -> None:
        for child in self._targets(name):
            if not child.alive:
                child.start()
        if name in self._services:
            service = self._services[name]
            self._wait(service.child, service.ready)

    def _pause(self, name: str) -> None:
        for child in self._targets(name):
            child.pause()

    def _resume(self, name: str) -> None:
        for child in self._targets(name):
            child.resume()

    def _scale(self, process: str, count: int) -> int:
        group = self._processes[process]
        before = len(group)
        if count > 1 and process == "web" and sys.platform != "linux":
            raise StackError(
                "Several web processes share one port only on Linux; use the compose stack."
            )
        while len(group) > count:
            child = group.pop()
            child.terminate()
            child.end(GRACE_SECONDS)
        while len(group) < count:
            child = self._child(f"{process}.{len(group) + 1}", self.example.procfile[process])
            child.start()
            group.append(child)
        return before


def remove_data(state: Path) -> None:
    """Remove what services and processes of a stack in `state` kept; it does not run."""
    outside.remove_below(state)
    for name in ("data", "files", "metrics", "tmp"):
        shutil.rmtree(state / name, ignore_errors=True)


def _end_all(children: list[Child], grace_seconds: float = GRACE_SECONDS) -> None:
    end = [child for child in children if child.popen]
    wait_until(lambda: all(not child.alive for child in end), grace_seconds)
    for child in end:
        child.end(0)
