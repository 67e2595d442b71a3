"""Programs that end with the harness, however it ends, and whose logs stay small.

Run as a script, this is the watchdog: it is told of every program through a pipe that the harness alone
holds, and when the pipe ends it ends what is left. A program announces itself before it begins, so that
there is no moment at which the harness could die and leave it.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

GRACE_SECONDS = 5.0
LOOK_SECONDS = 0.5
LOG_BYTES = 8 * 2**20  # of one program; past that, its first half goes


class _Watchdog:
    """The harness's end of the pipe."""

    def __init__(self) -> None:
        self.harness = os.getpid()
        self.running: set[int] = set()
        # Isolated, and without `site`: it starts in 10 ms and takes 8 MB.
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(GRACE_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        assert self.process.stdin is not None  # noqa: S101 (asked for above)
        self.pipe = self.process.stdin.fileno()

    def alive(self) -> bool:
        if self.harness != os.getpid():  # of the process that this one was forked from
            return False
        if self.process.poll() is None:
            return True
        self.process.communicate()
        return False

    def say(self, line: str) -> None:
        with suppress(BrokenPipeError):  # it was ended; there will be another one
            os.write(self.pipe, f"{line}\n".encode())  # in one piece, as it is short


# What a signal asked for while its thread was forking: the interpreter drops what is raised in there.
_put_off: list[Callable[[], object]] = []
_forking: set[int] = set()
_lock = threading.RLock()
_watchdog: _Watchdog | None = None


def start(
    command: Sequence[str],
    *,
    stop_signal: int = signal.SIGTERM,
    log: Path | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own; `forget` it once it has ended.

    Args:
        stop_signal: asks it to end, should the harness be gone.
        log: is kept below `LOG_BYTES`.
    """
    global _watchdog
    with _lock:
        if _watchdog is None or not _watchdog.alive():
            _watchdog = _Watchdog()
        watchdog = _watchdog

        def announce() -> None:
            watchdog.say(f"{os.getpid()} {int(stop_signal)} {log or ''}")

        try:
            _forking.add(threading.get_ident())
            try:
                process = subprocess.Popen(
                    command, start_new_session=True, preexec_fn=announce, **options
                )
            finally:
                _forking.discard(threading.get_ident())
            watchdog.running.add(process.pid)
        except BaseException:
            _dismiss_idle()
            raise
    try:
        while _put_off and threading.current_thread() is threading.main_thread():
            _put_off.pop()()
    except BaseException:  # whoever asked for the program never learns of it
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
        forget(process.pid)
        raise
    return process


def put_off(act: Callable[[], object]) -> bool:
    """Call `act`, which may raise, after the start that this thread is in; False if it is in none."""
    if threading.get_ident() not in _forking:
        return False
    _put_off.append(act)
    return True


def watch(pid: int, stop_signal: int) -> None:
    """End a process, too, that a program has started and that would not end with it; `forget` it later."""
    with _lock:
        if _watchdog and _watchdog.harness == os.getpid() and pid not in _watchdog.running:
            _watchdog.running.add(pid)
            _watchdog.say(f"{pid} {int(stop_signal)} ")


def forget(pid: int) -> None:
    """Watch the program `pid` no more, for it has ended."""
    with _lock:
        if _watchdog and pid in _watchdog.running:
            _watchdog.running.remove(pid)
            _watchdog.say(f"{pid}")
            _dismiss_idle()


def _dismiss_idle() -> None:
    # What the watchdog knows and the harness does not, a program whose start was interrupted, ends with it.
    global _watchdog
    if _watchdog and not _watchdog.running and _watchdog.harness == os.getpid():
        _watchdog.process.communicate()
        _watchdog = None


def run(
    command: Sequence[str], *, timeout_seconds: float | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it printed.

    Raises:
        subprocess.TimeoutExpired: it did not end in time; it is killed.
    """
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
        try:
            output, errors = process.communicate(timeout=timeout_seconds)
        finally:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()
            forget(process.pid)
    said = [text.decode(errors="replace") for text in (output, errors)]
    return subprocess.CompletedProcess([*command], process.returncode, *said)


def signal_group(pid: int, number: int) -> None:
    """Send a signal to everything that the program `pid` started, unless nothing is left of it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def bound(log: Path) -> None:
    """Drop the beginning of a log that has become too long, whoever is appending to it.

    What somebody writes in the microseconds between the last read and the cut is lost.
    """
    with suppress(OSError), log.open("rb") as old, log.open("rb+", buffering=0) as new:
        if old.seek(0, os.SEEK_END) > LOG_BYTES:
            old.seek(-LOG_BYTES // 2, os.SEEK_END)
            old.readline()
            shutil.copyfileobj(old, new)
            new.truncate()


def _watch(grace_seconds: float) -> None:
    watched: dict[int, tuple[int, Path | None]] = {}
    unread = b""
    while True:
        if select.select([0], [], [], LOOK_SECONDS)[0]:
            read = os.read(0, 65536)
            if not read:
                break
            *lines, unread = (unread + read).split(b"\n")
            for line in lines:
                _note(watched, os.fsdecode(line))
        for _, log in watched.values():
            if log:
                bound(log)
    _end(watched, grace_seconds)


def _note(watched: dict[int, tuple[int, Path | None]], line: str) -> None:
    pid, *rest = line.split(" ", 2)
    if rest:
        watched[int(pid)] = int(rest[0]), Path(rest[1]) if rest[1] else None
    else:
        watched.pop(int(pid), None)


def _end(watched: Mapping[int, tuple[int, Path | None]], grace_seconds: float) -> None:
    for pid, (stop_signal, _) in watched.items():
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, stop_signal)
        signal_group(pid, signal.SIGCONT)  # a stopped one cannot end
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and any(map(_lives, watched)):
        time.sleep(0.05)
    for pid in watched:
        signal_group(pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    _watch(float(sys.argv[1]))
