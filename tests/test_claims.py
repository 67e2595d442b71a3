"""Every claim of every example, with every variant it names, on both stacks; and what they reach."""

from typing import Any

import pytest

from nexus.coverage import Watch
from nexus.drive import judged
from nexus.experiment import Experiment, Samples
from nexus.prove import prove_one

REACHED = 0.90  # of an example's lines, by its claims with the solution
BEGINNINGS = 40  # of a run that holds: none of them may be shown as refuted


@pytest.mark.alone
def test_verdict_is_the_declared_one(stack: Any, claim: tuple[type[Experiment], str, str]):
    experiment, variant, _ = claim

    proof = prove_one(stack, experiment, variant)

    declared = "holds" if proof.expected else "is refuted"
    assert proof.as_declared, (
        f"{experiment.slug} is declared as: {declared} for {variant}. Measured: {proof.verdict.figure}"
    )
    if proof.verdict.holds:
        for end in range(1, len(proof.samples), max(1, len(proof.samples) // BEGINNINGS)):
            so_far = judged(experiment(), Samples(proof.samples[:end], over=False), proof.params)
            assert so_far is None or so_far.holds, f"after {end} samples: {so_far.figure}"


@pytest.mark.alone
def test_claims_reach_the_source(watch: Watch):
    reached = watch.reached()

    missed = [f"{each.path}: {len(each.missed)} of {each.lines}" for each in reached.modules]
    assert reached.share >= REACHED, "\n".join(missed)
