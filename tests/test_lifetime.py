"""What the harness started ends with it, at whatever moment that is, and logs stay small."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from nexus import lifetime
from nexus.catalog import ROOT
from nexus.stacks.processes import Child, wait_until

# Takes no notice of SIGTERM, as a server does in the first moments of its start; so do its workers.
DEAF = "trap '' TERM; sleep 70 & echo $$ > {pid}; while true; do sleep 0.1; done"
HARNESS = """
import signal, sys, threading
from pathlib import Path
from nexus import lifetime
from nexus.stacks.processes import Child
lifetime.GRACE_SECONDS = 0.5
child = Child("deaf", sys.argv[1], {"PATH": "/usr/bin:/bin"}, Path("/"), Path(sys.argv[2]))
child.start()
print("started", flush=True)
signal.pause()
"""


@pytest.fixture(autouse=True)
def short_grace(monkeypatch):
    monkeypatch.setattr(lifetime, "GRACE_SECONDS", 0.5)


def family_of(file: Path) -> list[psutil.Process]:
    assert wait_until(lambda: file.exists() and file.read_text(encoding="utf-8").strip(), 60)
    leader = int(file.read_text(encoding="utf-8"))
    return [each for each in psutil.process_iter() if group_of(each) == leader]


def group_of(process: psutil.Process) -> int:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:  # of another test, and it has ended since it was listed
        return 0


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_program_that_is_deaf_to_its_signal_ends_with_a_killed_harness(tmp_path):
    command = DEAF.format(pid=tmp_path / "pid")
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, command, tmp_path / "log"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as harness:
        assert harness.stdout.readline() == b"started\n"
        family = family_of(tmp_path / "pid")
        assert len(family) >= 2
        harness.kill()

    assert wait_until(lambda: not any(map(lives, family)), lifetime.GRACE_SECONDS + 60)


def test_program_announces_itself_before_it_begins(tmp_path):
    """Killed in the middle of a start, the harness has never learned the number of its child."""
    script = HARNESS.replace(
        "child.start()",
        "import os\n"
        "real = lifetime._Watchdog.say\n"
        "def say(self, line):\n"
        "    real(self, line)\n"
        "    Path(sys.argv[3]).write_text(str(os.getpid()))\n"
        "    os.kill(self.harness, signal.SIGKILL)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "lifetime._Watchdog.say = say\n"
        "child.start()",
    )
    # It may be killed before it has begun: so its number is noted by who announces it, and deaf it is born.
    command = DEAF.format(pid=tmp_path / "begun")
    noted = tmp_path / "pid"

    done = subprocess.run(
        [sys.executable, "-c", script, command, tmp_path / "log", noted], cwd=ROOT, check=False
    )

    assert done.returncode == -signal.SIGKILL
    assert wait_until(lambda: not any(map(lives, family_of(noted))), 60)


def test_interrupted_start_leaves_no_program(tmp_path, monkeypatch):
    """Ctrl-C comes while the program is there and nobody has noted it."""
    pid = tmp_path / "pid"
    child = Child("deaf", DEAF.format(pid=pid), dict(os.environ), tmp_path, tmp_path / "log")
    real = subprocess.Popen

    def interrupted(command, **options):
        process = real(command, **options)
        if "preexec_fn" in options:
            found.extend(family_of(pid))
            process.returncode = 0  # nobody asks for it any more
            raise KeyboardInterrupt
        return process

    found: list[psutil.Process] = []
    monkeypatch.setattr(lifetime.subprocess, "Popen", interrupted)

    with pytest.raises(KeyboardInterrupt):
        child.start()

    assert len(found) >= 2
    assert wait_until(lambda: not any(map(lives, found)), 60)


def test_nothing_of_a_killed_program_is_left_once_that_is_said(tmp_path):
    """What is about to die keeps its port, and another one would not start."""
    script = (
        "import os, time; held = b'x' * (32 << 20); "
        "[os.fork() for _ in range(3)]; held = bytearray(held); print('ready', flush=True); time.sleep(600)"
    )
    command = f"'{sys.executable}' -I -S -c \"{script}\""
    child = Child("many", command, dict(os.environ), tmp_path, tmp_path / "log")
    child.start()
    try:
        assert wait_until(lambda: child.tail().split().count("ready") == 8, 60)
        family = [each for each in psutil.process_iter() if group_of(each) == child.pid]
    finally:
        child.kill()

    assert len(family) >= 8
    assert not any(map(lives, family))


def test_watchdog_is_gone_with_the_last_program_and_there_is_another_one_if_it_was_ended(tmp_path):
    child = Child("sleeps", "sleep 60", dict(os.environ), tmp_path, tmp_path / "log")
    child.start()
    first = lifetime._watchdog.process
    first.kill()
    first.wait()
    other = Child("other", "sleep 60", dict(os.environ), tmp_path, tmp_path / "log")
    other.start()
    second = lifetime._watchdog.process

    other.kill()
    child.kill()

    assert second.pid != first.pid
    assert second.poll() == 0
    assert lifetime._watchdog is None


def test_log_that_a_program_fills_stays_below_its_bound(tmp_path):
    """32 MB at once, of which the last lines are wanted."""
    log = tmp_path / "log"
    command = "yes fills-a-log | head -c 33554424; echo the end; exec sleep 60"
    child = Child("loud", command, dict(os.environ), tmp_path, log)
    child.start()
    try:
        assert wait_until(lambda: child.tail().endswith("the end"), 60)
        assert wait_until(lambda: log.stat().st_size <= lifetime.LOG_BYTES, 60)
        assert child.tail().splitlines()[-2:] == ["fills-a-log", "the end"]
        assert log.read_text(encoding="utf-8").startswith("fills-a-log\n")
    finally:
        child.kill()


def test_what_is_written_while_a_log_is_cut_is_appended(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"old\n" * (lifetime.LOG_BYTES // 4 + 1))
    with log.open("ab", buffering=0) as writer:
        lifetime.bound(log)
        writer.write(b"new\n")

    assert lifetime.LOG_BYTES // 2 - 4 <= log.stat().st_size <= lifetime.LOG_BYTES // 2 + 4
    assert log.read_bytes().endswith(b"old\nnew\n")
    assert b"\0" not in log.read_bytes()


def test_program_that_is_run_to_its_end_leaves_nothing_behind(tmp_path):
    pid = tmp_path / "pid"
    done = lifetime.run(
        ["sh", "-c", f"sleep 60 >/dev/null 2>&1 & echo $! > {pid}; echo said; exit 3"]
    )

    assert (done.returncode, done.stdout) == (3, "said\n")
    assert wait_until(lambda: not psutil.pid_exists(int(pid.read_text(encoding="utf-8"))), 20)


def test_signal_that_comes_in_the_middle_of_a_fork_is_heeded_after_it(tmp_path, monkeypatch):
    """What is raised in there the interpreter drops, and the harness would go on for ever."""
    heeded = []
    real = subprocess.Popen

    def signalled(command, **options):
        if "preexec_fn" in options:
            assert lifetime.put_off(lambda: heeded.append(child.popen))
        assert heeded == []
        return real(command, **options)

    monkeypatch.setattr(lifetime.subprocess, "Popen", signalled)
    child = Child("sleeps", "sleep 60", dict(os.environ), tmp_path, tmp_path / "log")
    child.start()
    child.kill()

    assert len(heeded) == 1
    assert not lifetime.put_off(heeded.clear)
