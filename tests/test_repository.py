"""What has to be true of the repository itself: nothing unproved, nothing stale, nothing left out."""

import ast
import os
import re
import shlex
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from nexus.catalog import ROOT, Example
from nexus.results import load
from nexus.stacks.offered import ON_PATH

FOLDER = {".git", ".nexus", ".venv", "site", "node_modules"}
PAGES = [
    page for page in sorted(ROOT.rglob("*.md")) if not FOLDER & set(page.relative_to(ROOT).parts)
]
TARGETS = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_claim_of_the_write_up_has_an_experiment_and_the_reverse(example: Example):
    section = example.readme.partition("## Why the obvious fix fails")[2]
    written = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", section)) & set(example.experiments)
    spoken = set(re.findall(r"<!-- nexus:figure ([a-z-]+) ", example.readme)) | written

    assert spoken == set(example.experiments)


def test_every_claim_names_what_it_refutes_and_what_it_holds_for(example: Example):
    for slug, experiment in example.experiments.items():
        assert experiment.refuted, f"{slug} refutes no variant: it proves nothing"
        assert experiment.holds, f"{slug} holds for no variant"
        assert not set(experiment.refuted) & set(experiment.holds)


def test_an_example_has_five_to_ten_claims(example: Example):
    assert 5 <= len(example.experiments) <= 10


@pytest.mark.parametrize("kind", ["embedded", "compose"])
def test_recorded_results_cover_every_claim_and_variant(example: Example, kind):
    record = load(ROOT / "results" / f"{example.name}.json")
    recorded = {(run.claim, run.variant) for run in record.runs(kind)}
    declared = {
        (slug, variant)
        for slug, each in example.experiments.items()
        for variant in each.variants()
        # Recorded in containers, whatever is on the PATH of this machine.
        if bool({*ON_PATH} & {*each.needs}) == (kind == "compose")
    }

    every = {(slug, name) for slug, each in example.experiments.items() for name in each.variants()}

    assert declared <= recorded <= every
    assert all(run.expected == run.holds for stack in record.stacks() for run in record.runs(stack))


def test_compose_runs_the_commands_of_the_procfile(example: Example):
    services = example.compose["services"]
    for process, command in example.procfile.items():
        assert process in services, f"compose.yml has no service {process!r}"
        declared = services[process].get("command")
        words = declared if isinstance(declared, list) else shlex.split(str(declared))
        assert command in " ".join(words).replace("$$", "$"), (
            f"compose.yml runs {process} otherwise"
        )


def test_compose_services_are_hardened(example: Example):
    for name, service in example.compose["services"].items():
        assert service.get("read_only") is True, f"{name} may write to its root file system"
        assert service.get("cap_drop") == ["ALL"], f"{name} keeps capabilities"
        assert "mem_limit" in service, f"{name} has no memory limit"
        assert service.get("user") not in (None, "root", "0"), f"{name} runs as root"
        assert "healthcheck" in service or name == "release", f"{name} has no healthcheck"


def test_whatever_publishes_a_port_says_when_it_answers():
    """Docker's proxy accepts connections before the service behind it listens."""
    for file in [*ROOT.glob("examples/*/compose.yml"), *ROOT.glob("tests/**/compose.yml")]:
        for name, service in yaml.safe_load(file.read_text())["services"].items():
            assert "ports" not in service or "healthcheck" in service, f"{file}: {name}"


def test_compose_files_parse():
    for file in [*ROOT.glob("compose/*.yml"), *ROOT.glob("examples/*/compose*.yml")]:
        assert yaml.safe_load(file.read_text())["services"]


def test_examples_import_nothing_of_the_harness_or_of_each_other(example: Example):
    others = {path.name for path in example.path.parent.iterdir()} - {example.name}
    for file in example.path.rglob("*.py"):
        allowed = {"nexus.experiment"} if file.parent.name == "experiments" else set()
        for module in imports(file) - allowed:
            assert module.split(".")[0] not in {"nexus", "tests", *others}, (
                f"{file} imports {module}"
            )


def test_the_harness_imports_no_example_and_has_its_layers():
    low = {"stacks", "experiment", "samples", "verdict", "writeup", "results", "load", "catalog"}
    for file in (ROOT / "nexus").rglob("*.py"):
        part = file.relative_to(ROOT / "nexus").parts[0].removesuffix(".py")
        for module in imports(file):
            assert not module.startswith(("examples", "tests")), f"{file} imports {module}"
            if part in low:
                assert module.split(".")[:2] not in (
                    ["nexus", "lab"],
                    ["nexus", "prove"],
                    ["nexus", "cli"],
                )


def test_text_is_read_and_written_as_utf_8_whatever_the_locale_says():
    for folder in ("nexus", "examples", "benchmarks"):
        for file in (ROOT / folder).rglob("*.py"):
            if {"tests", ".venv"} & set(file.parts):
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    place = {"read_text": 0, "write_text": 1}.get(node.func.attr)
                    named = any(word.arg == "encoding" for word in node.keywords)
                    if place is not None and len(node.args) <= place and not named:
                        pytest.fail(f"{file}:{node.lineno} leaves the encoding to the locale")


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / unquote(path)).resolve() if path else page
        assert goal.exists(), f"{page.name} links to {target}"
        if anchor and goal.suffix == ".md":
            assert anchor in anchors(goal), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_commands_exist(page: Path):
    for target in re.findall(r"(?:^\$ |`)make ([a-z]+)", page.read_text(), re.MULTILINE):
        assert target in TARGETS, f"{page.name} speaks of `make {target}`"


def test_make_alone_prints_every_command():
    # Not as a part of the `make test` that runs this: that prints the folders it enters.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make"], cwd=ROOT, env=env, capture_output=True, text=True, check=True)

    assert {line.split()[1] for line in done.stdout.splitlines()} == TARGETS


def test_no_file_names_a_path_of_the_machine_it_was_made_on():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    here = re.compile(re.escape(str(ROOT)) + r"\b")
    for name in listed.stdout.split():
        path = ROOT / name
        if path.exists() and path.suffix not in {".png", ".ico"}:
            assert not here.search(path.read_text(errors="replace")), name
