"""`make prove VARIANT=mine`: which claims the reader's own variant wins, and what to try for the others."""

from nexus import catalog, report, results
from nexus.catalog import Example
from nexus.console import USAGE, Steps, console, fail
from nexus.mine import Mine, hints
from nexus.prove import Proof, proof_stack, prove_mine
from nexus.stacks.base import StackError


def judge(example: Example, claim: str | None = None) -> bool:
    """Judge every claim, or one, and print each beside the solution's record; return whether all are won.

    Raises:
        StackError: the file cannot be loaded, or the example does not run.
    """
    own = Mine(example)
    asked = [example.experiment(claim)] if claim else [*example.experiments.values()]
    if not own.file.exists():
        fail(
            f"There is no {own.shown} yet: `make mine EXAMPLE={example.name}` writes it.",
            code=USAGE,
        )
    record, told, won = results.recorded(catalog.ROOT, example.name), hints(example), 0
    with (
        Steps(f"Judging {own.shown}") as steps,
        proof_stack(example, "embedded", steps, mine=own) as stack,
    ):
        if stack.mine_fault:
            raise StackError(f"{own.shown} cannot be loaded; nothing was judged.", stack.mine_fault)
        for experiment, outcome in prove_mine(stack, asked, lambda each, _: steps(each.slug)):
            slug = experiment.slug
            won += isinstance(outcome, Proof) and outcome.verdict.holds
            runs = record.runs(record.stack(slug), slug)
            recorded = next((run for run in runs if run.variant == experiment.solution()), None)
            for line in report.mine_lines(experiment, outcome, recorded, told.get(slug, "")):
                console.print(line, soft_wrap=True)
    console.print(f"\n{won} of {len(asked)} claims won.")
    return won == len(asked)
