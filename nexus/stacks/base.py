"""What both stacks share: hands that hurt the example, and the journal that undoes it."""

import os
import shutil
import textwrap
import threading
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Literal, Self

from nexus.catalog import Example
from nexus.stacks.ports import Ports
from nexus.stacks.processes import wait_until
from nexus.stacks.state import owned, secret, write_state

type Progress = Callable[[str], None]
# Where an example may have something for people to look at.
PLACES = {"API": "/api/", "Swagger UI": "/api/docs/", "ReDoc": "/api/redoc/", "metrics": "/metrics"}


def silent(_: str) -> None:
    """Progress nobody watches."""


# Of a command of manage.py: what a reader writes may never end. Below MINE_SECONDS, which a claim has.
MANAGE_SECONDS = 100.0


class StackError(RuntimeError):
    """A stack cannot start or go on; the message is what the user reads, `log` what explains it.

    Attributes:
        code: of the command that failed, if it was one.
    """

    def __init__(self, message: str, log: str = "", code: int | None = None) -> None:
        super().__init__(message)
        self.log = log
        self.code = code

    def in_a_line(self) -> str:
        """Return the message with what explains it; of a traceback that is the last line."""
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        return " ".join([str(self), *(lines[-1:] if "Traceback" in self.log else lines)])


def told(args: Sequence[str]) -> str:
    """Return a command of manage.py as messages name it: one may be given a whole module."""
    return f"manage.py {textwrap.shorten(' '.join(args), 60, placeholder=' …')}"


class WoundedStack(ABC):
    """A running example: remembers every fault inflicted through it, so that `heal` can undo each.

    Args:
        state: folder for stack.json and whatever else is kept of it.
        preferred_ports: take the documented ports when they are free.
        services_only: start the services but none of the example's own processes.
    """

    kind: Literal["embedded", "compose"]

    def __init__(
        self,
        example: Example,
        state: Path,
        *,
        preferred_ports: bool = False,
        services_only: bool = False,
        progress: Progress = silent,
    ) -> None:
        self.example = example
        self.state = state
        self.services_only = services_only
        self.progress = progress
        self.manage_seconds = MANAGE_SECONDS
        self.url = ""
        self.mine_fault = ""  # why the reader's own variant is not loaded, where there is one
        self.services: dict[str, str] = {}
        self._preferred = preferred_ports
        # Told of each fault (`("kill", "web")`) once it is there, by whoever inflicts it.
        self.on_wound: Callable[[str, str], None] = lambda _action, _name: None
        # An experiment and a person at the lab may both have hands on a stack.
        self._hands = threading.RLock()
        self._ports = Ports()
        self._wounds: dict[str, Literal["stopped", "paused"]] = {}
        self._scaled: dict[str, int] = {}

    def __enter__(self) -> Self:
        self.start_or_leave_nothing()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def temporarily(self) -> Iterator[Self]:
        """Run it on empty services; its data is gone afterwards, its logs only after success.

        Raises:
            AlreadyRuns: another process has a stack in the same folder.
        """
        with owned(self.state):
            self.discard_data()  # of one that was killed
            try:
                with self:
                    yield self
            finally:
                self.discard_data()
            shutil.rmtree(self.state, ignore_errors=True)

    def start_or_leave_nothing(self) -> None:
        """Start it; if that fails, end what has been started, and tell what went wrong first."""
        try:
            self.start_all()
        except BaseException:
            with suppress(StackError):  # an engine that is away cannot end anything either
                self.close()
            raise

    @abstractmethod
    def start_all(self) -> None: ...
    @abstractmethod
    def close(self) -> None: ...
    @abstractmethod
    def discard_data(self) -> None:
        """Remove what the stopped stack's services and processes keep, but no log."""

    @abstractmethod
    def programs(self) -> Mapping[str, Mapping[str, str | int]]:
        """What runs, by name, and where it is found."""

    @property
    def staff_token(self) -> str:
        return os.environ.get("STAFF_TOKEN") or secret(self.state, "staff_token")

    def _record_state(self) -> None:
        state = {
            "example": self.example.name,
            "kind": self.kind,
            "url": self.url,
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "owner_pid": os.getpid(),
            "services": self.services,
            "programs": self.programs(),
        }
        write_state(self.state, state)

    def links(self) -> dict[str, str]:
        """Name -> address of what the example shows to people."""
        return {name: f"{self.url}{path}" for name, path in PLACES.items() if self._answers(path)}

    def _answers(self, path: str = "/healthz") -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as response:  # noqa: S310 (own address)
                return bool(response.status == 200)
        except (OSError, HTTPException):
            return False

    def _port(self, documented: int) -> int:
        return self._ports.take(documented if self._preferred else None)

    def manage(self, *args: str, of: str = "web") -> str:
        """Run the example's manage.py inside the stack, where the process `of` runs; return its output.

        Raises:
            StackError: it fails, or does not end within `manage_seconds` and is ended.
        """
        try:
            return self._manage(args, of)
        except TimeoutError:
            limit = f"{self.manage_seconds:g} s"
            raise StackError(f"{told(args)} did not end within {limit}, and was ended.") from None

    @abstractmethod
    def _manage(self, args: Sequence[str], of: str) -> str: ...
    @abstractmethod
    def _stop(self, name: str) -> None: ...
    @abstractmethod
    def _kill(self, name: str) -> None: ...
    @abstractmethod
    def _start(self, name: str) -> None: ...
    @abstractmethod
    def _pause(self, name: str) -> None: ...
    @abstractmethod
    def _resume(self, name: str) -> None: ...
    @abstractmethod
    def _scale(self, process: str, count: int) -> int:
        """Run `count` instances of `process` and return how many there were."""

    @abstractmethod
    def _ready(self) -> bool:
        """Whether every service and process answers now."""

    @abstractmethod
    def names(self) -> list[str]:
        """Services and processes that can be hurt."""

    def stop(self, name: str) -> None:
        self._check(name)
        with self._hands:
            # Noted first: whoever watches for programs that end by themselves must not see this one.
            self._wounds[name] = "stopped"
            self._stop(name)
            self.on_wound("stop", name)

    def kill(self, name: str) -> None:
        self._check(name)
        with self._hands:
            self._wounds[name] = "stopped"
            self._kill(name)
            self.on_wound("kill", name)

    def start(self, name: str) -> None:
        self._check(name)
        with self._hands:
            if self._wounds.get(name) == "paused":
                self._resume(name)
            else:
                self._start(name)
            self._wounds.pop(name, None)

    def pause(self, name: str) -> None:
        self._check(name)
        with self._hands:
            if self._wounds.get(name) == "stopped":
                raise StackError(f"{name} is stopped; there is nothing to pause.")
            self._wounds[name] = "paused"
            self._pause(name)
            self.on_wound("pause", name)

    def resume(self, name: str) -> None:
        self._check(name)
        with self._hands:
            if self._wounds.get(name) == "stopped":
                raise StackError(f"{name} is stopped, not paused; start it.")
            self._resume(name)
            self._wounds.pop(name, None)

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def scale(self, process: str, count: int) -> None:
        self._check(process)
        with self._hands:
            before = self._scale(process, count)
            self._scaled.setdefault(process, before)

    def heal(self) -> None:
        """Undo every fault since the last call and wait until the stack answers."""
        with self._hands:
            if not self._wounds and not self._scaled:
                return
            for name, wound in list(self._wounds.items()):
                (self.resume if wound == "paused" else self.start)(name)
            for process, count in self._scaled.items():
                self._scale(process, count)
            self._scaled.clear()
        self.wait_ready()

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        self.stop(name)
        try:
            yield
        finally:
            self.start(name)

    @contextmanager
    def killed(self, name: str) -> Iterator[None]:
        self.kill(name)
        try:
            yield
        finally:
            self.start(name)

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        self.pause(name)
        try:
            yield
        finally:
            self.resume(name)

    def wait_ready(self, deadline_seconds: float = 60) -> None:
        if not wait_until(self._ready, deadline_seconds):
            raise StackError(
                f"The stack did not answer at {self.url} within {deadline_seconds:.0f} s."
            )

    def _check(self, name: str) -> None:
        if name not in self.names():
            raise StackError(
                f"There is no {name!r} in this stack; there is: {', '.join(self.names())}."
            )
