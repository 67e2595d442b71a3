"""Which lines of an example its claims execute: coverage.py (coverage.readthedocs.io) in every process.

The processes of the embedded stack find coverage.py on their PYTHONPATH, not in their environment. Each saves
what it has executed twice a second, for a process that is killed saves nothing at its end.
"""

import fcntl
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from rich.table import Table

from nexus.catalog import Example
from nexus.mine import WRITTEN
from nexus.stacks.processes import wait_until
from nexus.stacks.variables import PROCESS

SAVE_SECONDS = 0.5
SETTLE_SECONDS = 20.0
SHOWN = "COVERAGE_SHOWN"
SOURCE = "*.py"
# Tests and claims drive the source, readers write their own; migrations are generated;
# settings are read once.
OMITTED = (
    "tests/*",
    "experiments/*",
    "exercises/*",
    f"*/{WRITTEN}",
    "*/migrations/*",
    "config/settings*.py",
    "manage.py",
)

# On PYTHONPATH of each process, where Python imports it at every start.
SITE = f"""
import fcntl, os, shutil, signal, threading, time
import coverage

save_own, place = coverage.Coverage.save, os.environ["{SHOWN}"]

def renew_lock():
    global own_turn
    own_turn = threading.RLock()

renew_lock()
os.register_at_fork(after_in_child=renew_lock)  # whoever held it is not there

# coverage.py renames its file at each save: of two threads that save, as one ends the process, the second
# finds nothing to rename, and what it has executed is lost. And a process may be killed at it: what is read
# is a copy that was put there whole. A lock for all processes would do worse: whoever forks, pauses or dies
# with it holds up all others.
def save_and_show(self):
    with own_turn:
        save_own(self)
        source = self.get_data().data_filename()
        if os.path.exists(source):
            draft = f"{{place}}/.{{os.getpid()}}"
            shutil.copyfile(source, draft)
            os.replace(draft, f"{{place}}/data.{{os.getpid()}}")

# When it began to save what it has saved: what it executed before that is there.
def note(began):
    draft = f"{{place}}/.{{os.getpid()}}.note"
    with open(draft, "w") as file:
        file.write(str(began))
    os.replace(draft, f"{{place}}/saved.{{os.getpid()}}")

# uvicorn ends by the signal that told it to end, and nothing runs after that.
raise_own = signal.raise_signal

def save_and_raise(number):
    if found := coverage.Coverage.current():
        found.save()
    raise_own(number)

signal.raise_signal = save_and_raise
coverage.Coverage.save = save_and_show
coverage.process_startup()

def save():
    while True:
        time.sleep({SAVE_SECONDS})
        began = time.monotonic_ns()
        if found := coverage.Coverage.current():
            found.save()
        note(began)

# The kernel frees what it holds when it ends, and when it becomes another program, which saves nothing.
def begin():
    global held
    held = os.open(f"{{place}}/held.{{os.getpid()}}", os.O_CREAT | os.O_RDWR)
    fcntl.lockf(held, fcntl.LOCK_EX)
    note(0)
    threading.Thread(target=save, daemon=True).start()

# A command of manage.py ends by itself, and may measure its own memory.
if os.environ.get("{PROCESS}"):
    begin()
    os.register_at_fork(after_in_child=begin)
"""


@dataclass(frozen=True)
class Module:
    """One file of the source: how many lines can be executed, and which were not."""

    path: str
    lines: int
    missed: tuple[int, ...]

    @property
    def share(self) -> float:
        return 1 - len(self.missed) / self.lines if self.lines else 1.0


@dataclass(frozen=True)
class Reached:
    """What the claims reached of an example's source."""

    modules: tuple[Module, ...]

    @property
    def share(self) -> float:
        lines = sum(module.lines for module in self.modules)
        return 1 - sum(len(module.missed) for module in self.modules) / max(1, lines)


class Watch:
    """Follows the processes of one stack.

    Args:
        folder: for configuration and data; emptied.
    """

    def __init__(self, example: Example, folder: Path) -> None:
        import coverage

        root = example.path.resolve()
        self.root = root
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        site = folder / "site"
        site.mkdir(parents=True)
        (site / "sitecustomize.py").write_text(SITE, encoding="utf-8")
        (site / "coverage").symlink_to(Path(coverage.__file__).parent)
        lines = [
            "[run]",
            "core = sysmon",  # an event for a line's first execution alone (PEP 669): claims keep their pace
            "parallel = true",
            f"data_file = {folder / 'data'}",
            f"source = {root}",
            "patch = _exit",
            "sigterm = false",
            "omit =",
            *(f"    {root / pattern}" for pattern in OMITTED),
        ]
        (folder / "shown").mkdir()
        (folder / "coveragerc").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def environment(self) -> Mapping[str, str]:
        """What the processes are told on top of the stack's own environment."""
        return {
            "PYTHONPATH": str(self.folder / "site"),
            "COVERAGE_PROCESS_START": str(self.folder / "coveragerc"),
            SHOWN: str(self.folder / "shown"),
        }

    def settle(self) -> None:
        """Wait until every living process has saved what it executed until now.

        One that cannot, because it is paused, holds nobody up for longer than `SETTLE_SECONDS`.
        """
        now = time.monotonic_ns()
        notes = [*self.folder.glob("shown/saved.*")]
        wait_until(lambda: all(_has_saved(note, now) for note in notes), SETTLE_SECONDS)

    def reached(self) -> Reached:
        """Return what was executed until now, but for the last moment of processes that were killed."""
        import coverage

        self.settle()
        measured = coverage.Coverage(config_file=str(self.folder / "coveragerc"))
        measured.combine([str(self.folder / "shown")], keep=True)
        modules = []
        for path in sorted(self.root.rglob(SOURCE)):
            relative = path.relative_to(self.root)
            if any(fnmatch(str(relative), pattern) for pattern in OMITTED):
                continue
            _, lines, _, missed, _ = measured.analysis2(str(path))
            if lines:
                modules.append(Module(relative.as_posix(), len(lines), tuple(missed)))
        return Reached(tuple(modules))


def _has_saved(note: Path, since_ns: int) -> bool:
    """Whether the process that writes `note` is no more, or saved what it began to save after `since_ns`."""
    if int(note.read_text(encoding="utf-8")) >= since_ns:
        return True
    with note.with_name(f"held{note.suffix}").open("a") as held, suppress(OSError):
        fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def table(example: Example, reached: Reached) -> Table:
    """Show every file of the source with the lines that no claim reached, the most missed first."""
    table = Table(title=f"What the claims reach of {example.name}, with its solution")
    table.add_column("File", overflow="fold")
    for column in ("Lines", "Reached"):
        table.add_column(column, justify="right")
    table.add_column("Lines that no claim reached", overflow="fold")
    for module in sorted(reached.modules, key=lambda each: -len(each.missed)):
        table.add_row(
            module.path, str(module.lines), f"{module.share:.0%}", ", ".join(_ranges(module.missed))
        )
    lines = sum(module.lines for module in reached.modules)
    table.add_section()
    table.add_row("all", str(lines), f"{reached.share:.1%}", "")
    return table


def _ranges(lines: tuple[int, ...]) -> Iterator[str]:
    """Yield `3-5, 9` of 3, 4, 5, 9."""
    first = last = 0
    for line in (*lines, 0):
        if line == last + 1 and first:
            last = line
            continue
        if first:
            yield f"{first}-{last}" if last > first else f"{first}"
        first = last = line
