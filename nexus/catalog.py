"""The examples, read from their folders: adding a folder with a compose.yml adds an example."""

import importlib.util
import inspect
import os
import re
import sys
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from nexus.experiment import Experiment

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = Path(os.environ.get("NEXUS_EXAMPLES", ROOT / "examples"))  # the harness's tests set it

_loading = threading.RLock()  # another thread would find modules that are half there


class UnknownName(LookupError):
    """An example, variant or claim that does not exist; the message lists those that do."""


@dataclass(frozen=True)
class Example:
    """One challenge: the folder `examples/<name>/`."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def compose(self) -> dict[str, Any]:
        """The parsed compose.yml: the one place where an example declares the services it needs."""
        parsed = yaml.safe_load((self.path / "compose.yml").read_text(encoding="utf-8"))
        if not isinstance(parsed, dict) or not isinstance(parsed.get("services"), dict):
            raise ValueError(f"{self.path / 'compose.yml'} has no services")
        return parsed

    @property
    def order(self) -> int:
        """Its place among the others for who learns from them: `x-nexus: {order: 3}` in compose.yml."""
        return int((self.compose.get("x-nexus") or {}).get("order", 99))

    @cached_property
    def procfile(self) -> dict[str, str]:
        """Process name -> shell command, in the order of the file."""
        lines = (self.path / "Procfile").read_text(encoding="utf-8").splitlines()
        pairs = [line.split(":", 1) for line in lines if line.strip() and not line.startswith("#")]
        return {name.strip(): command.strip() for name, command in pairs}

    def grace_seconds(self, name: str, default: float) -> float:
        """How long service `name` may take to stop: its `stop_grace_period`, in seconds (`15s`)."""
        declared = str(self.compose["services"].get(name, {}).get("stop_grace_period", ""))
        return float(declared.removesuffix("s")) if declared else default

    @cached_property
    def experiments(self) -> dict[str, type[Experiment]]:
        """Slug -> experiment, in the order of CLAIMS in `experiments/__init__.py`.

        Raises:
            ValueError: a claim has no module, a module no claim, or another one than its name says.
        """
        folder = self.path / "experiments"
        with _loading:
            return self._loaded(folder)

    def _loaded(self, folder: Path) -> dict[str, type[Experiment]]:
        package = _load(folder / "__init__.py", f"nexus_experiments_{self.name}")
        claims: tuple[str, ...] = package.CLAIMS
        modules = {path.stem.replace("_", "-") for path in folder.glob("[!_]*.py")}
        if modules != set(claims):
            differing = ", ".join(sorted(modules ^ set(claims)))
            raise ValueError(
                f"{folder}: CLAIMS and the modules beside it differ by {differing}; "
                "each claim is a module of its name (burst-is-bounded in burst_is_bounded.py)"
            )
        return {slug: _experiment(folder, package.__name__, slug) for slug in claims}

    @property
    def begins_as(self) -> str:
        """The naive variant that a reader's own begins as: BEGINS_AS in `experiments/__init__.py`."""
        self.experiments  # noqa: B018  # loads the package
        return str(getattr(sys.modules[f"nexus_experiments_{self.name}"], "BEGINS_AS", ""))

    def experiment(self, slug: str) -> type[Experiment]:
        """Return the experiment of claim `slug`.

        Raises:
            UnknownName: there is none.
        """
        if slug not in self.experiments:
            known = ", ".join(self.experiments)
            raise UnknownName(f"{self.name} has no claim {slug!r}; its claims are: {known}.")
        return self.experiments[slug]

    @cached_property
    def title(self) -> str:
        match = re.search(r"^# (.+)$", self.readme, re.MULTILINE)
        return match[1] if match else self.name

    @cached_property
    def readme(self) -> str:
        return (self.path / "README.md").read_text(encoding="utf-8")

    @cached_property
    def pages(self) -> dict[str, str]:
        """File name -> text of the pages that are read beside the code."""
        found = [self.path / name for name in ("README.md", "OPERATING.md")]
        return {page.name: page.read_text(encoding="utf-8") for page in found if page.exists()}

    def curl_commands(self) -> list[str]:
        """The `$ curl` lines of the write-up's console blocks, in order, continuation lines joined."""
        blocks = re.findall(r"^```console\n(.*?)^```", self.readme, re.MULTILINE | re.DOTALL)
        text = "\n".join(blocks).replace("\\\n", " ")
        return re.findall(r"^\$ (curl .+)$", text, re.MULTILINE)

    def outputs(self) -> list[str]:
        """The commands of manage.py whose output a page shows: its `output` blocks."""
        shown = r"^<!-- nexus:output (.+?) *-->$"
        found = re.findall(shown, "\n".join(self.pages.values()), re.MULTILINE)
        return list(dict.fromkeys(found))


def examples() -> list[Example]:
    """Every example of the repository, by name."""
    return [Example(path.parent) for path in sorted(EXAMPLES.glob("*/compose.yml"))]


def example(name: str) -> Example:
    """Return the example called `name`.

    Raises:
        UnknownName: there is none.
    """
    for candidate in examples():
        if candidate.name == name:
            return candidate
    known = ", ".join(candidate.name for candidate in examples())
    if not name:
        raise UnknownName(f"Which example? EXAMPLE=… is one of: {known}.")
    raise UnknownName(f"There is no example {name!r}; the examples are: {known}.")


def _experiment(folder: Path, package: str, slug: str) -> type[Experiment]:
    stem = slug.replace("-", "_")
    module = _load(folder / f"{stem}.py", f"{package}.{stem}")
    found = [
        member
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, Experiment)
        and member.__module__ == module.__name__
        and not inspect.isabstract(member)
    ]
    if [each.slug for each in found] != [slug]:
        raise ValueError(f"{folder / stem}.py has to define one experiment, of claim {slug}")
    return found[0]


def _load(path: Path, name: str) -> ModuleType:
    # Of another copy of the repository the examples bear the same names.
    if name in sys.modules and sys.modules[name].__file__ == str(path):
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
