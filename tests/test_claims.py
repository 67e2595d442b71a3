"""Every claim of every example, with every variant it names, on both stacks."""

from typing import Any

import pytest

from nexus.experiment import Experiment
from nexus.prove import prove_one


@pytest.mark.alone
def test_verdict_is_the_declared_one(stack: Any, claim: tuple[type[Experiment], str, str]):
    experiment, variant, _ = claim

    proof = prove_one(stack, experiment, variant)

    declared = "holds" if proof.expected else "is refuted"
    assert proof.as_declared, (
        f"{experiment.slug} is declared as: {declared} for {variant}. Measured: {proof.verdict.figure}"
    )
