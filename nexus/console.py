"""How the commands speak: one sentence for what is wrong, steps while something starts."""

import os
import pwd
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import typer
from rich.console import Console

from nexus import lifetime
from nexus.catalog import UnknownName
from nexus.environment import InstallError
from nexus.experiment import ExperimentError
from nexus.load import LoadError
from nexus.stacks.base import StackError
from nexus.stacks.state import AlreadyRuns

USAGE = 2
SIGNAL_BASE = 128  # a program ended by signal n is reported as 128 + n

console = Console(highlight=False)


def fail(message: str, log: str = "", code: int = 1) -> NoReturn:
    """Say what is wrong and what explains it, and exit."""
    errors = Console(stderr=True, highlight=False)
    if log:
        errors.print(log, style="dim", markup=False, soft_wrap=True)
    errors.print(message, style="bold red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn the harness's own errors into one sentence and an exit code."""
    try:
        yield
    except UnknownName as error:
        fail(str(error), code=USAGE)
    except (StackError, InstallError) as error:
        fail(str(error), error.log)
    except (AlreadyRuns, ExperimentError, LoadError, ValueError) as error:
        fail(str(error))
    except OSError as error:
        fail(_of_the_system(error))


def _of_the_system(error: OSError) -> str:
    """Return what the operating system refused, and why."""
    if not isinstance(error.filename, (str, os.PathLike)):
        return str(error)
    path = Path(error.filename)
    owner = next(filter(None, map(_owner, (path, *path.parents))), "")
    if isinstance(error, PermissionError) and owner != _user(os.geteuid()):
        return f"{path} belongs to {owner}: run the command as that user, or in a checkout of your own."
    return f"{error.strerror}: {path}."


def _owner(path: Path) -> str:
    """Return whose it is; nothing if that cannot be told."""
    try:
        return _user(path.lstat().st_uid)
    except OSError:
        return ""


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


class Ended(BaseException):
    """The harness was asked to end by signal `number`."""

    def __init__(self, number: int) -> None:
        self.number = number


def _end(number: int, _: FrameType | None) -> None:
    if lifetime.put_off(lambda: _end(number, None)):
        return
    # The stack is being put away now: a second Ctrl-C must not interrupt that.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Ended(number)


@contextmanager
def ends_by_signal() -> Iterator[None]:
    """Leave the block in good order on Ctrl-C, SIGTERM or a closed terminal."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _end)
    try:
        yield
    except Ended as ended:
        raise typer.Exit(SIGNAL_BASE + ended.number) from None


class Steps:
    """Progress of a start: a spinner with the current step on a terminal, a line a step elsewhere."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self._status = console.status(title)

    def __enter__(self) -> "Steps":
        if console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def __call__(self, step: str) -> None:
        elapsed = time.monotonic() - self.started
        if console.is_terminal:
            self._status.update(f"{self.title}: {step} …")
        else:
            console.print(f"[{elapsed:5.1f} s] {step}", markup=False)
