"""Runs experiments on a stack and compares their verdicts with what is declared."""

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never

from nexus.catalog import Example
from nexus.environment import state_dir
from nexus.experiment import Experiment, Params, Sample, Stack, Verdict
from nexus.load import Exchange, Exchanges, watching
from nexus.stacks.base import Progress, StackError, silent
from nexus.stacks.compose import ComposeStack
from nexus.stacks.embedded import EmbeddedStack, remove_data
from nexus.stacks.offered import embedded, missing
from nexus.stacks.rabbitmq import ABSENT
from nexus.stacks.state import owner, project

type Kind = Literal["embedded", "compose"]

_numbers = itertools.count(1)
WEB_PROCESSES = 2  # with two workers each: both stacks answer with four server processes


@dataclass(frozen=True)
class Proof:
    """One experiment run with one variant.

    Attributes:
        expected: whether the claim is declared to hold for the variant.
        seconds: how long the experiment took.
        exchanges: the first request and answer of each status, at most three.
    """

    experiment: type[Experiment]
    variant: str
    params: Params
    expected: bool
    verdict: Verdict
    samples: tuple[Sample, ...]
    seconds: float
    exchanges: tuple[Exchange, ...] = ()

    @property
    def as_declared(self) -> bool:
        return self.verdict.holds == self.expected


def unprovable(experiment: type[Experiment], kind: str) -> str:
    """Return why a stack of this kind cannot prove the claim on this machine; nothing if it can."""
    lacking = [name for name in experiment.needs if name not in embedded()]
    if kind == "compose" or not lacking:
        return ""
    reasons = {missing().get(name, ABSENT) for name in lacking} - {ABSENT}
    why = f" ({'; '.join(sorted(reasons))})" if reasons else ""
    return (
        f"{experiment.slug} needs {' and '.join(lacking)}, which the embedded stack does not have here{why}; "
        "STACK=compose proves it."
    )


@contextmanager
def proof_stack(
    example: Example, kind: Kind, progress: Progress = silent, overlays: tuple[str, ...] = ()
) -> Iterator[EmbeddedStack | ComposeStack]:
    """Run a stack of its own for experiments, and of each that was killed remove the data.

    Args:
        overlays: further compose files of the example (`compose.cluster.yml`).

    Raises:
        StackError: it does not start.
    """
    proofs = state_dir(example) / "proofs"
    _forget_killed(proofs)
    state = proofs / f"{kind}-{os.getpid()}-{next(_numbers)}"
    stack: EmbeddedStack | ComposeStack
    match kind:
        case "embedded":
            stack = EmbeddedStack(example, state, replicas=WEB_PROCESSES, progress=progress)
        case "compose":
            name = project(f"{example.name}-proof-{state.name}")
            stack = ComposeStack(example, state, name, overlays=overlays, progress=progress)
        case _:
            assert_never(kind)
    with stack.temporarily():
        yield stack


def _forget_killed(proofs: Path) -> None:
    # Whoever has data owns its folder; a folder without may be about to be owned.
    for state in [data.parent for data in proofs.glob("*/data") if not owner(data.parent)]:
        remove_data(state)


def prove_one(
    stack: Stack, experiment: type[Experiment], variant: str, params: Params | None = None
) -> Proof:
    """Run one experiment, heal the stack whatever happened, and judge the samples."""
    chosen = {**experiment.defaults(), **(params or {})}
    judge = experiment()
    started = time.monotonic()
    exchanges = Exchanges()
    try:
        with watching(exchanges):
            samples = tuple(judge.run(stack, variant, chosen))
    finally:
        stack.heal()
    seconds = time.monotonic() - started
    if not samples:
        raise StackError(f"{experiment.slug} yielded no sample for {variant}.")
    verdict = judge.judge(samples, chosen)
    expected = experiment.expected(variant)
    seen = tuple(exchanges.found.values())
    return Proof(experiment, variant, chosen, expected, verdict, samples, seconds, seen)


def prove(
    stack: Stack,
    experiments: Iterable[type[Experiment]],
    started: Callable[[type[Experiment], str], None] = lambda _, __: None,
) -> Iterator[Proof]:
    """Run every variant of `experiments` on `stack`, one after the other."""
    for experiment in experiments:
        for variant in experiment.variants():
            started(experiment, variant)
            yield prove_one(stack, experiment, variant)
