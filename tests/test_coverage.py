"""What claims reach of a source is known, also of processes that were killed."""

import os
import subprocess
import sys
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from types import SimpleNamespace
from typing import cast

from nexus.catalog import Example
from nexus.coverage import SAVE_SECONDS, Module, Reached, Watch, table
from nexus.experiment import until
from nexus.prove import proof_stack
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


def test_lines_are_read_while_processes_save_and_after_one_was_killed_at_it(tmp_path):
    source = tmp_path / "busy"
    source.mkdir()
    (source / "busy.py").write_text("import time\n" + "time.sleep(0.002)\n" * 2000)
    watch = Watch(cast(Example, SimpleNamespace(path=source, name="busy")), tmp_path / "coverage")
    site = watch.folder / "site" / "sitecustomize.py"
    site.write_text(site.read_text().replace(f"sleep({SAVE_SECONDS})", "sleep(0.001)"))
    watch.settle = lambda: None
    environment = {**os.environ, **watch.environment(), PROCESS: "busy"}
    busy = [
        subprocess.Popen([sys.executable, "busy.py"], cwd=source, env=environment) for _ in range(3)
    ]
    try:
        until(lambda: len(list(watch.folder.glob("shown/data.*"))) == len(busy), 20)
        shares = [watch.reached().share for _ in range(20)]
    finally:
        for process in busy:
            process.kill()
            process.wait()

    assert 0 < shares[0] < shares[-1]
    assert watch.reached().share >= shares[-1]


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
