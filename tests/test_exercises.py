"""Each exercise of a write-up is a patch that breaks the solution, so that the claim it names is refuted."""

import re
import subprocess

import pytest
import uv

from nexus import catalog
from nexus.catalog import Example
from nexus.environment import ensure_environment
from nexus.mine import NAME, Mine
from nexus.prove import proof_stack, prove_one
from nexus.stacks.offered import unprovable

# `2-flood-is-cheap.patch` names the claim; its first lines ask the reader what it will be.
PATCH = re.compile(r"[1-9]-([a-z-]+)\.patch")
PATCHES = sorted(catalog.EXAMPLES.glob("*/exercises/*.patch"))
PACKAGES = sorted(catalog.EXAMPLES.glob("*/exercises/requirements-package.txt"))
# "Now you" ends a reader's file with a package, and names a claim that it wins or loses then.
PACKAGE = re.compile(
    r"^\$ \.venv/bin/uv pip install --python \.nexus/\w+/venv (?P<name>\S+)\n```\n\n"
    r"^```python\n(?P<lines>.+?)^```\n\n.*?`(?P<claim>[a-z-]+)` (?P<verdict>holds|is refuted)",
    re.MULTILINE | re.DOTALL,
)


@pytest.mark.paired
@pytest.mark.parametrize("path", PATCHES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_exercise_refutes_the_claim_that_it_names(path, tmp_path, copy_of, pytestconfig):
    named = PATCH.fullmatch(path.name)[1]
    example = copy_of(Example(path.parent.parent), tmp_path / "a copy")
    subprocess.run(["git", "apply", "-p1", path], cwd=example.path, check=True)
    judges = [example.experiment(named)]
    if pytestconfig.getoption("--every-claim"):
        judges = [each for each in example.experiments.values() if not unprovable(each, "embedded")]

    with proof_stack(example, "embedded") as stack:
        verdicts = {each.slug: prove_one(stack, each, each.solution()).verdict for each in judges}

    refuted = [slug for slug, verdict in verdicts.items() if not verdict.holds]
    assert refuted == [named], {slug: verdict.figure for slug, verdict in verdicts.items()}


def test_write_up_links_its_exercises(example):
    patches = sorted((example.path / "exercises").glob("*.patch"))

    assert len(patches) == 3
    for path in patches:
        assert PATCH.fullmatch(path.name)[1] in example.experiments
        assert f"(exercises/{path.name})" in example.readme


@pytest.mark.alone
@pytest.mark.parametrize("lock", PACKAGES, ids=lambda lock: lock.parent.parent.name)
def test_package_of_the_write_up_does_as_it_says(lock, tmp_path, copy_of, monkeypatch):
    monkeypatch.setattr("nexus.environment.STATE", tmp_path / "state")
    example = Example(lock.parent.parent)
    shown = PACKAGE.search(example.readme)
    copy = copy_of(example, tmp_path / "a copy")
    install(copy, shown["name"])
    mine = Mine(copy)
    mine.begin()
    with mine.file.open("a", encoding="utf-8") as file:
        file.write(shown["lines"])

    with proof_stack(copy, "embedded", mine=mine) as stack:
        assert stack.mine_fault == ""
        proof = prove_one(stack, copy.experiment(shown["claim"]), NAME)

    assert proof.verdict.holds == (shown["verdict"] == "holds"), proof.verdict.figure


def install(example: Example, package: str) -> None:
    """Install a package in the version that its lock names, as a reader does."""
    lock = example.path / "exercises" / "requirements-package.txt"
    python = ensure_environment(example) / "python"
    assert f"\n{package}==" in lock.read_text(encoding="utf-8")
    tool = [uv.find_uv_bin(), "pip", "install", "--quiet", "--require-hashes"]
    subprocess.run([*tool, "--python", python, "-r", lock], check=True)
