"""One child process with its log file, stopped with everything it started."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from nexus import lifetime

SHELL_OPERATORS = set(";&|<>")


@dataclass
class Child:
    """A shell command run in a session of its own, so that Ctrl-C reaches the harness alone.

    Attributes:
        log: receives stdout and stderr; appended to, and its first half goes when it becomes too long.
        user: numeric user to run as, when the harness is root and the program refuses that.
        stop_signal: asks it to end.
    """

    name: str
    command: str
    env: Mapping[str, str]
    cwd: Path
    log: Path
    user: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    popen: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        # `exec` spares a shell that would stand between the harness and the program's exit code.
        simple = not SHELL_OPERATORS & set(self.command)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.popen = lifetime.start(
                ["/bin/sh", "-c", f"exec {self.command}" if simple else self.command],
                stop_signal=self.stop_signal,
                log=self.log,
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user is not None else None,
            )

    @property
    def pid(self) -> int:
        return self.popen.pid if self.popen else 0

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.popen.poll() if self.popen else None

    @property
    def alive(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def terminate(self) -> None:
        """Ask it to end; returns at once."""
        if self.alive:
            self._signal_group(signal.SIGCONT)
            os.kill(self.pid, self.stop_signal)

    def end(self, grace_seconds: float) -> None:
        """Wait for it to end after `terminate`, then kill what is left of its session."""
        if self.popen is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.popen.wait(max(0.05, grace_seconds))
        self.kill()

    def kill(self) -> None:
        self._signal_group(signal.SIGKILL)
        if self.popen:
            self.popen.wait()
            lifetime.forget(self.pid)

    def pause(self) -> None:
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_group(signal.SIGCONT)

    def tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(
            self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
        )

    def _signal_group(self, number: int) -> None:
        if self.popen:
            lifetime.signal_group(self.pid, number)


def wait_until(condition: Callable[[], bool], deadline_seconds: float, step: float = 0.05) -> bool:
    """Poll `condition` until it is true; False when the deadline passes first."""
    end = time.monotonic() + deadline_seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


def memory_bytes(pids: list[int]) -> int:
    """Memory of the processes and all their descendants; a page that some share counts once, on Linux."""
    total = 0
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            total += sum(map(_own_bytes, [process, *process.children(recursive=True)]))
    return total


def _own_bytes(process: psutil.Process) -> int:
    try:
        info = process.memory_full_info()
        return int(getattr(info, "pss", info.rss))
    except psutil.AccessDenied:  # a process of another user
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
