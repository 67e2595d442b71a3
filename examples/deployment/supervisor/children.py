"""Child processes by name, each with a session and a log of its own."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
SAID_CHARACTERS = 300
# Of a log: that of a release that has run for weeks may be larger than the memory.
TAIL_BYTES = 65_536
# A supervisor that was killed leaves nobody who would go on answering beside its successor's children. Made
# once: a child that has just been forked should load nothing.
END_WITH_PARENT = (
    partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, signal.SIGTERM)
    if sys.platform == "linux"
    else None
)


@dataclass(frozen=True)
class Command:
    """What a child runs; `ask_to_end` is the signal after which it still answers what is under way."""

    words: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    ask_to_end: int = signal.SIGTERM


class Children:
    """Starts, stops and looks after them; all from one thread, for they end with the thread that began them.

    Args:
        logs: a folder; each child's output is appended to a file of its name.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._all: dict[str, subprocess.Popen[bytes]] = {}
        self.commands: dict[str, Command] = {}
        self._kill_at: dict[str, float] = {}

    def start(self, name: str, command: Command) -> None:
        """Start it, and tell how it has ended before.

        Raises:
            OSError: there is no such program.
        """
        if name in self._all:
            sys.stderr.write(
                f"{name} has ended ({self._all[name].poll()}), "
                f"and said last: {self._last_line(name)}.\n"
            )
        self.commands[name] = command
        with (self._logs / f"{name}.log").open("ab") as log:
            self._all[name] = subprocess.Popen(
                command.words,
                env=dict(command.env),
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=END_WITH_PARENT,  # this program has one thread
            )

    def stop(self, name: str, grace_seconds: float) -> None:
        """Ask it to end, and kill it after the grace; returns at once."""
        if name in self.running():
            self._all[name].send_signal(self.commands[name].ask_to_end)
        self._kill_at[name] = time.monotonic() + grace_seconds

    def look(self) -> None:
        """Kill those whose grace is over, with all that they have started."""
        for name, due in list(self._kill_at.items()):
            if name not in self.running():
                del self._kill_at[name]
            elif time.monotonic() > due:
                os.killpg(self._all[name].pid, signal.SIGKILL)

    def running(self) -> dict[str, int]:
        """Name -> process id of those that run."""
        return {name: each.pid for name, each in self._all.items() if each.poll() is None}

    def ended(self, name: str) -> str:
        """Say why it does not run; nothing while it does."""
        if name not in self._all:
            return "it was never started"
        if (code := self._all[name].poll()) is None:
            return ""
        return self._last_line(name) or f"exit code {code}"

    def end(self, *names: str, grace_seconds: float) -> None:
        """Stop them and wait for it."""
        for name in names:
            self.stop(name, grace_seconds)
        while self.running().keys() & {*names}:
            self.look()
            time.sleep(0.02)

    def _last_line(self, name: str) -> str:
        with (self._logs / f"{name}.log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
            said = log.read().decode(errors="replace")
        # What is indented explains the line before it.
        lines = [line for line in said.splitlines() if line.strip() and not line[0].isspace()]
        return lines[-1].strip().rstrip(".")[-SAID_CHARACTERS:] if lines else ""
