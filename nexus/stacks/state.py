"""`.nexus/<example>/stack.json`: where a running stack is, for people and for other programs."""

import fcntl
import hashlib
import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from nexus import private
from nexus.environment import STATE
from nexus.stacks.containers import PROJECT

CLOCK_STEP_SECONDS = 60  # by which the start of a process may seem to move when the clock is set


class AlreadyRuns(RuntimeError):
    """Another process holds this stack; `state` is its stack.json, empty while it starts."""

    def __init__(self, state: dict[str, Any]) -> None:
        super().__init__("Another process runs this stack; wait for its end.")
        self.state = state


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Own the stack of `folder` until the end of the block, or of this process however it ends.

    Raises:
        AlreadyRuns: another process owns it.
    """
    with (private.make_folder(folder) / "stack.lock").open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRuns(read_state(folder)) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()} {psutil.Process().create_time()}")
        lock.flush()
        yield


def owner(folder: Path) -> psutil.Process | None:
    """Return the process that owns the stack of `folder`, however far it has come; None if none does."""
    with suppress(AlreadyRuns), owned(folder):
        return None
    with suppress(ValueError, psutil.NoSuchProcess):
        pid, began = (folder / "stack.lock").read_text(encoding="utf-8").split()
        process = psutil.Process(int(pid))
        # In its first moment the owner has not signed yet: what is there is of one before.
        if abs(process.create_time() - float(began)) < CLOCK_STEP_SECONDS:
            return process
    return None


def read_state(folder: Path) -> dict[str, Any]:
    """Return the parsed stack.json, or an empty dict when nothing is recorded."""
    try:
        parsed: dict[str, Any] = json.loads((folder / "stack.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return parsed


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Write stack.json, which holds passwords."""
    private.write(private.make_folder(folder) / "stack.json", json.dumps(state, indent=2) + "\n")


def compose_runs(name: str) -> bool:
    """Whether the example's containers run, started by `make up`."""
    label = f"label={PROJECT}={project(name)}"
    command = ["docker", "ps", "-q", "--filter", label]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(done.stdout.strip())


def project(name: str) -> str:
    """The compose project of the containers that `make up` starts: another one in each checkout."""
    return project_prefix() + name


def project_prefix() -> str:
    """What every compose project of this checkout begins with."""
    return f"nexus-{hashlib.sha256(str(STATE.resolve()).encode()).hexdigest()[:8]}-"


def secret(folder: Path, name: str) -> str:
    """Return the secret of this stack called `name`, made at first use and readable by its owner alone."""
    path = folder / name
    if not path.exists():
        private.write(private.make_folder(folder) / name, secrets.token_hex(32))
    return path.read_text(encoding="utf-8")
