"""The modules of the harness form layers: none needs itself, not even for types or at a call."""

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

from nexus.catalog import ROOT

MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in (ROOT / "nexus").rglob("*.py")
}


def test_no_module_of_the_harness_imports_itself_by_way_of_others():
    graph = {name: imported(file) - {name} for name, file in MODULES.items()}

    assert "nexus.stacks.state" in graph["nexus.stacks.base"]
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_no_package_of_the_harness_imports_itself_by_way_of_others():
    graph: dict[str, set[str]] = {}
    for name, file in MODULES.items():
        graph.setdefault(package(name), set()).update(map(package, imported(file)))

    assert "nexus.environment" in graph["nexus.stacks"]
    TopologicalSorter({name: found - {name} for name, found in graph.items()}).prepare()


def package(module: str) -> str:
    """`nexus.stacks` of `nexus.stacks.base`; a module that lies in no package stands for itself."""
    return ".".join(module.split(".")[:2])


def imported(file: Path) -> set[str]:
    """Modules of the harness that the file names, wherever in it."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return named & MODULES.keys()


def test_what_make_run_needs_is_in_its_own_lock():
    """`make run`, `make site` and `make doctor` install no package that tests and proofs alone ask for."""
    lab = sorted(name for name in MODULES if package(name) == "nexus.lab")
    needed = ["nexus.cli", "nexus.doctor", "nexus.clean", "nexus.writeup", *lab]

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *needed],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "nexus.lab.settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


WITHOUT = """
import importlib, re, sys
from importlib.metadata import packages_distributions
from pathlib import Path

def pinned(lock):
    lines = Path(lock).read_text(encoding="utf-8").splitlines()
    return {line.partition("==")[0].partition("[")[0] for line in lines if "==" in line and line[0] != " "}

absent = pinned("requirements-dev.txt") - pinned("requirements.txt")
assert "testcontainers" in absent
for name, distributions in packages_distributions().items():
    if {re.sub("[-_.]+", "-", each).lower() for each in distributions} <= absent:
        sys.modules[name] = None
for name in sys.argv[1:]:
    importlib.import_module(name)
"""
