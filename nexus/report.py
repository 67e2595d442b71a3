"""Verdicts as a line, a table and a record."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.table import Table

from nexus import charts, results
from nexus.catalog import ROOT, Example
from nexus.experiment import Experiment, Stack
from nexus.machine import this_machine
from nexus.prove import Proof
from nexus.stacks.offered import unprovable


def line(proof: Proof) -> str:
    mark = "[green]as declared[/green]" if proof.as_declared else "[bold red]DIFFERS[/bold red]"
    word = "holds" if proof.verdict.holds else "refuted"
    slug, figure = proof.experiment.slug, proof.verdict.figure
    return f"  {slug:<22} {proof.variant:<24} {word:<8} {mark}  {figure} ({proof.seconds:.1f} s)"


def table(example: Example, kind: str, proofs: list[Proof]) -> Table:
    table = Table(title=f"{example.title} on the {kind} stack")
    for column in ("Claim", "Variant", "Declared", "Measured", "Figure"):
        table.add_column(column, overflow="fold")
    previous = ""
    for proof in proofs:
        slug = proof.experiment.slug
        style = None if proof.as_declared else "bold red"
        words = ["holds" if holds else "refuted" for holds in (proof.expected, proof.verdict.holds)]
        if slug != previous:
            table.add_section()
        table.add_row(
            slug if slug != previous else "",
            proof.variant,
            *words,
            proof.verdict.figure,
            style=style,
        )
        previous = slug
    return table


def spread(example: Example, kind: str, proofs: list[Proof]) -> Table:
    """Say of proofs that were repeated how often each was as declared, and how far its figures lay apart."""
    table = Table(title=f"{example.title} on the {kind} stack, repeated")
    for column in ("Claim", "Variant", "As declared", "Measured", "Bound"):
        table.add_column(column, overflow="fold")
    repeated: dict[tuple[str, str], list[Proof]] = {}
    for proof in proofs:
        repeated.setdefault((proof.experiment.slug, proof.variant), []).append(proof)
    for (slug, variant), found in repeated.items():
        well = sum(proof.as_declared for proof in found)
        table.add_row(
            slug,
            variant,
            f"{well} of {len(found)}",
            _range([proof.verdict.measured for proof in found]),
            _range([proof.verdict.bound for proof in found]),
            style=None if well == len(found) else "bold red",
        )
    return table


def _range(values: list[float]) -> str:
    return " to ".join(dict.fromkeys(f"{value:,.4g}" for value in (min(values), max(values))))


def mine_lines(
    experiment: type[Experiment], outcome: Proof | str, solution: results.Run | None, hint: str
) -> Iterator[str]:
    """Say how the reader's own variant fared: its figure, that of the solution, and what to try."""
    if isinstance(outcome, str):
        yield f"  [yellow]open[/yellow]     {experiment.slug}: {outcome}"
        return
    word = "[green]holds[/green]  " if outcome.verdict.holds else "[bold red]refuted[/bold red]"
    yield f"  {word}  {experiment.slug}: {outcome.verdict.figure} ({outcome.seconds:.1f} s)"
    if solution:
        yield f"           recorded of {solution.variant}: {solution.figure}"
    if hint and not outcome.verdict.holds:
        yield f"           hint: {hint}"


def record(example: Example, kind: str, proofs: list[Proof]) -> None:
    def first(proof: Proof) -> str:
        return "compose" if unprovable(proof.experiment, "embedded") else "embedded"

    runs = [
        results.Run(
            claim=proof.experiment.slug,
            variant=proof.variant,
            expected=proof.expected,
            holds=proof.verdict.holds,
            figure=proof.verdict.figure,
            measured=proof.verdict.measured,
            bound=proof.verdict.bound,
            axis=proof.experiment.chart.x,
            points=tuple(charts.points(proof.experiment.chart, proof.samples)),
            # One stack is enough: both answer alike.
            exchanges=results.kept(proof.exchanges) if kind == first(proof) else (),
        )
        for proof in proofs
    ]
    recording = results.Recording(
        stack=kind,
        recorded_at=datetime.now(UTC).date(),
        machine=this_machine(),
        versions=_versions(example),
        runs=tuple(runs),
    )
    claims = {slug: experiment.claim for slug, experiment in example.experiments.items()}
    results.add(results.place(ROOT, example.name), example.name, claims, recording)


def record_outputs(example: Example, stack: Stack) -> None:
    """Run the commands whose output the write-up shows, and record what they print."""
    texts = {command: stack.manage(*command.split()) for command in example.outputs()}
    if texts:
        outputs = results.Outputs(
            recorded_at=datetime.now(UTC).date(),
            machine=this_machine(),
            versions=_versions(example),
            texts={command: text.rstrip() for command, text in texts.items()},
        )
        results.add_outputs(results.place(ROOT, example.name), example.name, outputs)


def _versions(example: Example) -> dict[str, str]:
    direct = (example.path / "requirements.in").read_text(encoding="utf-8").split()
    names = {name.split("[")[0].split(">")[0].split("=")[0].lower() for name in direct}
    lock = (example.path / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split(" ")[0].split("==") for line in lock if "==" in line.split(" ")[0])
    return {
        name: version for name, version in pinned.items() if name.split("[")[0].lower() in names
    }
