"""Runs experiments on a stack and compares their verdicts with what is declared."""

import itertools
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never

from nexus.catalog import Example
from nexus.coverage import Watch
from nexus.drive import concluded, drive
from nexus.environment import state_dir
from nexus.experiment import Experiment, ExperimentError, Params, Sample, Samples, Stack, Verdict
from nexus.load import Exchange, Exchanges, LoadError, watching
from nexus.mine import NAME, Mine, is_declared, raised
from nexus.stacks.base import Progress, StackError, silent
from nexus.stacks.compose import ComposeStack
from nexus.stacks.embedded import EmbeddedStack, remove_data
from nexus.stacks.state import owner, project

type Kind = Literal["embedded", "compose"]

_numbers = itertools.count(1)
MINE_SECONDS = 120.0
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


@contextmanager
def proof_stack(
    example: Example,
    kind: Kind,
    progress: Progress = silent,
    watch: Watch | None = None,
    mine: Mine | None = None,
) -> Iterator[EmbeddedStack | ComposeStack]:
    """Run a stack of its own for experiments, and of each that was killed remove the data.

    Args:
        watch: follows the processes of the embedded stack.
        mine: the reader's own variant, on the embedded stack.

    Raises:
        StackError: it does not start.
    """
    proofs = state_dir(example) / "proofs"
    _forget_killed(proofs)
    state = proofs / f"{kind}-{os.getpid()}-{next(_numbers)}"
    stack: EmbeddedStack | ComposeStack
    match kind:
        case "embedded":
            watched = watch.environment() if watch else {}
            stack = EmbeddedStack(
                example,
                state,
                replicas=WEB_PROCESSES,
                mine=mine,
                watched=watched,
                progress=progress,
            )
        case "compose":
            name = project(f"{example.name}-proof-{state.name}")
            stack = ComposeStack(example, state, name, progress=progress)
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
    driven, samples, exchanges = experiment(), Samples(), Exchanges()
    started = time.monotonic()
    try:
        with watching(exchanges):
            for _ in drive(driven, stack, variant, chosen, samples):
                pass
    finally:
        stack.heal()
    return Proof(
        experiment=experiment,
        variant=variant,
        params=chosen,
        expected=is_declared(experiment, variant),
        verdict=concluded(driven, samples, chosen),
        samples=tuple(samples),
        seconds=time.monotonic() - started,
        exchanges=tuple(exchanges.found.values()),
    )


def prove(
    stack: Stack,
    experiments: Iterable[type[Experiment]],
    started: Callable[[type[Experiment], str], None] = lambda _, __: None,
    variants: Callable[[type[Experiment]], tuple[str, ...]] = lambda each: each.variants(),
) -> Iterator[Proof]:
    """Run every variant of `experiments` on `stack`, or those that `variants` names, one after the other."""
    for experiment in experiments:
        for variant in variants(experiment):
            started(experiment, variant)
            yield prove_one(stack, experiment, variant)


class TakesTooLong(ExperimentError):
    """A run went on for longer than any of the example's own variants needs."""


def prove_mine(
    stack: Stack,
    experiments: Iterable[type[Experiment]],
    started: Callable[[type[Experiment], str], None] = lambda _, __: None,
) -> Iterator[tuple[type[Experiment], Proof | str]]:
    """Run the reader's own variant; yield for each claim its proof, or why it could not be judged.

    Raises:
        StackError: the stack does not answer any more.
    """
    for experiment in experiments:
        started(experiment, NAME)
        outcome: Proof | str
        try:
            with watching(lambda _request, _answer: None, _deadline(MINE_SECONDS)):
                outcome = prove_one(stack, experiment, NAME)
        except (ExperimentError, LoadError) as error:
            outcome = _explained(str(error), stack)
        except StackError as error:
            outcome = error.in_a_line()
        if isinstance(outcome, str):
            # A view that ended its process took the next claim's first requests with it.
            stack.wait_ready()
        yield experiment, outcome


def _explained(outcome: str, stack: Stack) -> str:
    """Say what the reader's file has raised, where a server's error is all that an experiment saw."""
    error = raised(stack.logs()) if re.search(r"\b500\b", outcome) else ""
    return f"status 500: {error}" if error else outcome


def _deadline(seconds: float) -> Callable[[], None]:
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > end:
            raise TakesTooLong(f"the run was given up after {seconds:.0f} s")

    return check
