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
KILL_SECONDS = 20.0  # past that, it waits for a disk that is gone


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
    _paused: list[psutil.Process] = field(default_factory=list, init=False)

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
        if self.popen and self.alive:
            self.resume()
            # Not os.kill: another thread may have seen its end meanwhile.
            self.popen.send_signal(self.stop_signal)

    def end(self, grace_seconds: float) -> None:
        """Wait for it to end after `terminate`, then kill what is left of its session."""
        if self.popen is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.popen.wait(max(0.05, grace_seconds))
        self.kill()

    def kill(self) -> None:
        """End it and all that it has started; returns once nothing of it is left.

        Until a killed process gets a processor it keeps its port and its memory: PostgreSQL, for one, does
        not start while another process has its shared memory.
        """
        family = self._family() if self.alive else _session(self.pid) if self.popen else []
        self._signal_group(signal.SIGKILL)
        for member in family:
            _signal(member, signal.SIGKILL)
        self._forget_paused()
        if self.popen:
            self.popen.wait()
            lifetime.forget(self.pid)
        wait_until(lambda: all(map(has_ended, family)), KILL_SECONDS, 0.01)

    def pause(self) -> None:
        """Stop all that it has started; returns once no thread of it runs.

        A signal is heeded when its thread gets a processor: until then the others go on answering.

        Raises:
            TimeoutError: something goes on, as what waits for a disk that is gone.
        """
        if self.alive and not wait_until(self._stopped, 20, 0.01):
            raise TimeoutError(f"{self.name} has not stopped within 20 s.")

    def resume(self) -> None:
        for member in self._paused:
            _signal(member, signal.SIGCONT)
        self._forget_paused()
        self._signal_group(signal.SIGCONT)

    def tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(
            self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
        )

    def _stopped(self) -> bool:
        """Ask all who still run to stop: True if nobody does."""
        running = [member for member in self._family() if not _has_stopped(member)]
        for member in running:
            if member not in self._paused:
                self._paused.append(member)
                # A stopped one does not notice that its parent has ended with the harness.
                lifetime.watch(member.pid, signal.SIGCONT)
            _signal(member, signal.SIGSTOP)
        return not running

    def _forget_paused(self) -> None:
        for member in self._paused:
            if member.pid != self.pid:
                lifetime.forget(member.pid)
        self._paused.clear()

    def _family(self) -> list[psutil.Process]:
        """It, its descendants (those of PostgreSQL have a session each), and the rest of its session."""
        with suppress(psutil.NoSuchProcess):
            leader = psutil.Process(self.pid)
            family = [leader, *leader.children(recursive=True)]
            return [*family, *(each for each in _session(self.pid) if each not in family)]
        return []

    def _signal_group(self, number: int) -> None:
        if self.popen:
            lifetime.signal_group(self.pid, number)


def _session(leader: int) -> list[psutil.Process]:
    found = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            if os.getpgid(pid) == leader:
                found.append(psutil.Process(pid))
    return found


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        process.send_signal(number)


def has_ended(process: psutil.Process) -> bool:
    """Whether it has: one that its parent has not asked for yet is still listed."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _has_stopped(process: psutil.Process) -> bool:
    """Whether no thread of it runs, because it is stopped or has ended."""
    try:
        if not Path("/proc/self/task").exists():  # only Linux tells of each thread
            return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
        files = Path(f"/proc/{process.pid}/task").glob("*/stat")
        lines = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    except (OSError, psutil.NoSuchProcess):
        return not process.is_running()
    return all(line.rpartition(")")[2].split()[0] in "TtZX" for line in lines)


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
