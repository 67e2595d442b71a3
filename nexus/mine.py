"""The reader's own variant of an example: one file beside its variants, judged by the same experiments.

An example adds the module that the environment variable MINE names to its variants.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

from nexus import lifetime
from nexus.catalog import Example, UnknownName
from nexus.experiment import Experiment

NAME = "mine"
WRITTEN = "mine*.py"  # by a reader, beside the variants of an example: no part of the repository
VARIABLE = "MINE"
IMPORT_SECONDS = 30.0  # an import takes a second, and on a busy machine ten
# What the trial ends with: a file may end Python with 0, or leave a thread that never ends.
IMPORTED = 64
SAID_CHARACTERS = 4000
TRACEBACK = re.compile(
    r"^Traceback \(most recent.*\n(?P<frames>(?:[ \t].*\n)+)(?P<error>\S.*)", re.M
)
# What the example's processes do with the file when they start.
LOAD = f"""
import importlib, os, sys, django
sys.path.insert(0, "")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
importlib.import_module("config.urls")
importlib.import_module(os.environ["MINE"])
os._exit({IMPORTED})
"""


class Mine:
    """The file in which a reader of `example` writes a variant of their own.

    Args:
        module: another one than `mine` beside the example's variants.

    Raises:
        UnknownName: the example has nothing to begin with.
    """

    def __init__(self, example: Example, module: str = "") -> None:
        found = sorted(example.path.glob("*/variants.py"))
        self.start = example.path / "exercises" / "mine.py"
        if not found or not self.start.exists():
            raise UnknownName(
                f"{example.name} has no variant of your own yet: exercises/mine.py is not there."
            )
        self.example = example
        inside = (module or f"{found[0].parent.name}.mine").replace(".", "/")
        self.file = example.path / f"{inside}.py"
        self._seen = b""
        self._loads = 0

    @property
    def shown(self) -> str:
        """Where the file is, below the folder of all examples."""
        return f"examples/{self.example.name}/{self.file.relative_to(self.example.path)}"

    def begin(self) -> bool:
        """Write the file to begin with, unless it is there; return whether it was written."""
        if self.file.exists():
            return False
        self.file.write_bytes(self.start.read_bytes())
        return True

    def reset(self) -> Path | None:
        """Begin again, and return where the old file is kept; None if there was none."""
        kept = None
        if self.file.exists():
            numbers = (n for n in range(1, 10_000))
            free = (self.file.with_name(f"mine_{n}.py") for n in numbers)
            kept = self.file.rename(next(path for path in free if not path.exists()))
        self.begin()
        return kept

    def seen(self) -> None:
        """Take note of what the file says now."""
        self._seen = self._read()

    def changed(self) -> bool:
        """Whether the file says something else than when it was last loaded."""
        return self._read() != self._seen

    def load(self, python: Path, environment: Mapping[str, str], folder: Path) -> str:
        """Import the file in a process of its own, and return why that fails; empty if it does not.

        Processes import a copy of what could be imported last: a file that is broken since stops none.

        Args:
            python: the interpreter of the example's environment.
            environment: of the example's processes.
            folder: for the copy.
        """
        self.seen()
        if not self.file.is_file():
            return f"{self.shown} is not there, or is no file."
        trial = folder / "trial" / f"{NAME}.py"
        trial.parent.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(self._seen)
        # Python takes a file of the same second and size for the one that it has compiled.
        self._loads += 1
        os.utime(trial, (self._loads, self._loads))
        fault = self._fault(python, {**environment, **importing(trial.parent, environment)})
        if not fault:
            (folder / "loaded").mkdir(exist_ok=True)
            trial.replace(folder / "loaded" / trial.name)
        return fault.replace(str(trial), self.shown)

    def _fault(self, python: Path, environment: Mapping[str, str]) -> str:
        try:
            done = lifetime.run(
                [str(python), "-c", LOAD],
                cwd=self.example.path,
                env=environment,
                stdin=subprocess.DEVNULL,
                timeout_seconds=IMPORT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"{self.shown} is not imported within {IMPORT_SECONDS:.0f} s."
        if done.returncode == IMPORTED:
            return ""
        said = _short(done.stderr.strip())
        if "Traceback" not in said:
            code = done.returncode
            return f"{self.shown} ended Python with exit code {code} while it was imported. {said}"
        return _from(said, self.file.name) or f"{self.shown}: {said.splitlines()[-1]}"

    def _read(self) -> bytes:
        # An editor may take it away at this moment; a folder in its place says nothing either.
        with suppress(OSError):
            return self.file.read_bytes()
        return b""


def is_written(path: Path) -> bool:
    """Whether a reader has written it, and not the example, which has what to begin with."""
    return fnmatch(path.name, WRITTEN) and path.parent.name != "exercises"


def importing(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What tells the processes of an example to add the variant in `folder`."""
    places = [str(folder), *filter(None, [environment.get("PYTHONPATH")])]
    return {VARIABLE: NAME, "PYTHONPATH": os.pathsep.join(places)}


def _short(said: str) -> str:
    """Leave out the middle of what is too long to be read."""
    if len(said) <= SAID_CHARACTERS:
        return said
    half = SAID_CHARACTERS // 2
    return f"{said[:half]}\n...\n{said[-half:]}"


def _from(traceback: str, name: str) -> str:
    """Leave out the frames before those of `name`: they are how the example came there."""
    lines = traceback.splitlines()
    frame = re.compile(rf'\s+File ".*\b{re.escape(name)}"')
    first = next((at for at, line in enumerate(lines) if frame.match(line)), None)
    return "" if first is None else "\n".join([lines[0], *lines[first:]])


def raised(log: str) -> str:
    """Return the last error in `log` that came through the reader's file, and its line; or nothing."""
    for found in reversed(list(TRACEBACK.finditer(log))):
        if lines := re.findall(rf'File ".*\b{NAME}\.py", line (\d+)', found["frames"]):
            return f"{found['error'].strip()} (line {lines[-1]} of {NAME}.py)"
    return ""


def is_declared(experiment: type[Experiment], variant: str) -> bool:
    """Whether the claim is meant to hold for `variant`: a reader's own is there to win it."""
    return variant == NAME or experiment.expected(variant)


def hints(example: Example) -> dict[str, str]:
    """Claim -> its hint in the write-up: in "Now you", a list of the claims."""
    listed = r"^- `([a-z-]+)`: (.+(?:\n  .+)*)"
    # What a block fills in is text, its marks are not.
    said = re.sub(r"<!--.*?-->", "", _section(example, "Now you"))
    found = re.findall(listed, said, re.MULTILINE)
    return {slug: " ".join(text.split()) for slug, text in found}


def solution(example: Example) -> str:
    """Say where the solution is: its variant, and the files that the write-up goes through."""
    names = dict.fromkeys(each.solution() for each in example.experiments.values())
    fences = r"^```\w+ (\S+?)(?:::\S+)?$"
    shown = re.findall(fences, _section(example, "The solution"), re.MULTILINE)
    files = ", ".join(f"examples/{example.name}/{path}" for path in dict.fromkeys(shown))
    where = f'README.md explains it under "The solution": {files}.'
    return f"The solution is the variant {' or '.join(names)}. {where}"


def _section(example: Example, title: str) -> str:
    """Return what the write-up has under a heading; nothing if it has no such heading."""
    whole = rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)"
    found = re.search(whole, example.readme, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""
