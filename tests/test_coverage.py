"""What claims reach of a source is known, also of processes that were killed."""

import urllib.request
from contextlib import suppress
from http.client import HTTPException

from nexus.coverage import Module, Reached, Watch, table
from nexus.prove import proof_stack


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
