"""Each exercise of a write-up is a patch that breaks the solution, so that the claim it names is refuted."""

import re
import subprocess

import pytest

from nexus import catalog
from nexus.catalog import Example
from nexus.prove import proof_stack, prove_one

# `2-flood-is-cheap.patch` names the claim; its first lines ask the reader what it will be.
PATCH = re.compile(r"[1-9]-([a-z-]+)\.patch")
PATCHES = sorted(catalog.EXAMPLES.glob("*/exercises/*.patch"))


@pytest.mark.alone
@pytest.mark.parametrize("path", PATCHES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_exercise_refutes_the_claim_that_it_names(path, tmp_path, copy_of):
    named = PATCH.fullmatch(path.name)[1]
    example = copy_of(Example(path.parent.parent), tmp_path / "a copy")
    subprocess.run(["git", "apply", "-p1", path], cwd=example.path, check=True)
    experiment = example.experiment(named)

    with proof_stack(example, "embedded") as stack:
        proof = prove_one(stack, experiment, experiment.solution())

    assert not proof.verdict.holds, proof.verdict.figure


def test_write_up_links_its_exercises(example):
    patches = sorted((example.path / "exercises").glob("*.patch"))

    assert len(patches) == 3
    for path in patches:
        assert PATCH.fullmatch(path.name)[1] in example.experiments
        assert f"(exercises/{path.name})" in example.readme
