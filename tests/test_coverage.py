"""What claims reach of a source is known, also of processes that were killed."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from nexus.catalog import Example
from nexus.coverage import SAVE_SECONDS, SETTLE_SECONDS, Module, Reached, Watch, table
from nexus.prove import proof_stack
from nexus.stacks.processes import wait_until
from nexus.stacks.variables import PROCESS


def test_lines_of_processes_that_were_killed_or_ended_at_once_count(toy, tmp_path):
    watch = Watch(toy, tmp_path / "coverage")
    with proof_stack(toy, "embedded", watch=watch) as stack:
        watch.settle()
        stack.kill("web")
        [killed] = watch.reached().modules
        stack.start("web")
        stack.wait_ready()
        with suppress(OSError, HTTPException):
            urllib.request.urlopen(f"{stack.url}/die")
        [ended] = watch.reached().modules

    assert (killed.path, killed.missed) == ("server.py", (12, 13))
    assert ended.missed == ()


def test_number_of_a_process_that_ended_may_be_anothers(toy, tmp_path):
    watch = Watch(toy, tmp_path / "coverage")
    (watch.folder / "shown" / f"saved.{os.getpid()}").write_text("0")

    began = time.monotonic()
    watch.settle()

    assert time.monotonic() < began + SETTLE_SECONDS / 2


def begun(watch: Watch, **options: Any) -> subprocess.Popen[bytes]:
    """Run the program that is watched, as a process of a stack."""
    environment = {**os.environ, **watch.environment(), PROCESS: "busy"}
    return subprocess.Popen([sys.executable, "busy.py"], cwd=watch.root, env=environment, **options)


@pytest.fixture
def watched(tmp_path):
    """Follows one file, whose text is given."""

    def write(text: str) -> Watch:
        source = tmp_path / "busy"
        source.mkdir()
        (source / "busy.py").write_text(text)
        example = cast(Example, SimpleNamespace(path=source, name="busy"))
        return Watch(example, tmp_path / "coverage")

    return write


def save_all_the_time(watch: Watch) -> None:
    site = watch.folder / "site" / "sitecustomize.py"
    site.write_text(site.read_text().replace(f"sleep({SAVE_SECONDS})", "sleep(0.001)"))


def test_lines_are_read_while_processes_save_and_after_one_was_killed_at_it(watched, tmp_path):
    go = tmp_path / "go"
    watch = watched(
        f"import os, time\nwhile not os.path.exists({str(go)!r}):\n    time.sleep(0.01)\n"
        + "time.sleep(0.002)\n" * 2000
        + "time.sleep(600)\n"
    )
    save_all_the_time(watch)
    watch.settle = lambda: None
    busy = [begun(watch) for _ in range(3)]
    shares: list[float] = []

    def twenty_times_and_further() -> bool:
        shares.append(watch.reached().share)
        return len(shares) >= 20 and shares[-1] > 0.02

    try:
        assert wait_until(lambda: len(list(watch.folder.glob("shown/data.*"))) == len(busy), 60)
        waiting = watch.reached().share
        go.touch()
        assert wait_until(twenty_times_and_further, 60, 0)
    finally:
        for process in busy:
            process.kill()
            process.wait()

    assert 0 < waiting < 0.02
    assert shares == sorted(shares)
    assert watch.reached().share >= shares[-1]


def test_lines_of_a_process_that_gets_no_processor_are_waited_for(watched):
    watch = watched(
        "import os, signal, time\n"
        + "signal.SIGSTOP\n" * 50
        + "os.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(600)\n"
    )
    busy = begun(watch)
    stopped = psutil.Process(busy.pid)
    try:
        assert wait_until(lambda: stopped.status() == "stopped", 60)
        resume = threading.Timer(5 * SAVE_SECONDS, stopped.resume)
        resume.start()
        [module] = watch.reached().modules
        resume.join()
    finally:
        busy.kill()
        busy.wait()

    assert set(module.missed) <= {52, 53}


def test_process_that_has_become_another_program_is_not_waited_for(watched):
    """With a function to call there, Python forks as `os.fork` does: the child begins to be watched."""
    watch = watched(
        "import subprocess\n"
        "other = subprocess.Popen(['sleep', '600'], preexec_fn=lambda: None)\n"
        "input()\nother.kill()\nother.wait()\n"
    )
    busy = begun(watch, stdin=subprocess.PIPE)
    try:
        assert wait_until(lambda: len([*watch.folder.glob("shown/saved.*")]) == 2, 60)
        began = time.monotonic()
        watch.settle()
        waited = time.monotonic() - began
    finally:
        busy.communicate(b"\n")

    assert waited < SETTLE_SECONDS / 2


def test_lines_of_a_process_that_ends_by_its_own_signal_count(watched):
    watch = watched(
        "import signal\n" + "signal.SIGTERM\n" * 50 + "signal.raise_signal(signal.SIGTERM)\n"
    )

    assert begun(watch).wait(60) == -signal.SIGTERM
    [module] = watch.reached().modules
    assert module.missed == ()


def test_lines_of_a_process_that_ends_at_once_while_it_saves_count(watched):
    watch = watched("import os\n" + "os.getpid()\n" * 200 + "os._exit(0)\n")
    save_all_the_time(watch)

    for _ in range(10):
        assert begun(watch).wait(60) == 0
        [module] = watch.reached().modules
        assert module.missed == ()
        for shown in watch.folder.glob("*/data.*"):
            shown.unlink()


def test_modules_that_no_process_imports_are_missed_whole(toy, tmp_path):
    watch = Watch(toy, tmp_path / "coverage")

    [module] = watch.reached().modules

    assert len(module.missed) == module.lines


def test_table_shows_ranges_and_the_most_missed_first(toy):
    reached = Reached((Module("a.py", 4, ()), Module("b.py", 10, (2, 3, 4, 9))))

    shown = table(toy, reached)

    files, _, shares, missed = (list(column.cells) for column in shown.columns)
    assert files == ["b.py", "a.py", "all"]
    assert shares == ["60%", "100%", "71.4%"]
    assert missed[0] == "2-4, 9"
