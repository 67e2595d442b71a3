"""The commands behind the Makefile: one line each for people, an exit code for programs."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from nexus import catalog, results
from nexus.catalog import ROOT, Example, UnknownName
from nexus.environment import InstallError, state_dir
from nexus.stacks.base import StackError
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.processes import resident_bytes
from nexus.stacks.state import AlreadyRuns, owned, read_state

if TYPE_CHECKING:
    from nexus.prove import Proof
    from nexus.stacks.compose import ComposeStack

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(highlight=False)
Name = Annotated[str, typer.Argument(help="Name of an example.")]

USAGE = 2
SIGNAL_BASE = 128  # a program ended by signal n is reported as 128 + n


def fail(message: str, log: str = "", code: int = 1) -> NoReturn:
    """Say what is wrong and what explains it, and exit."""
    errors = Console(stderr=True, highlight=False)
    if log:
        errors.print(log, style="dim", markup=False, soft_wrap=True)
    errors.print(message, style="bold red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn the harness's own errors into one sentence and an exit code."""
    try:
        yield
    except UnknownName as error:
        fail(str(error), code=USAGE)
    except StackError as error:
        fail(str(error), error.log)
    except (InstallError, ValueError) as error:
        fail(str(error))


class Ended(BaseException):
    """The harness was asked to end by signal `number`."""

    def __init__(self, number: int) -> None:
        self.number = number


def _end(number: int, _: FrameType | None) -> NoReturn:
    # The stack is being put away now: a second Ctrl-C must not interrupt that.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Ended(number)


@contextmanager
def ends_by_signal() -> Iterator[None]:
    """Leave the block in good order on Ctrl-C, SIGTERM or a closed terminal."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _end)
    try:
        yield
    except Ended as ended:
        raise typer.Exit(SIGNAL_BASE + ended.number) from None


class Steps:
    """Progress of a start: a spinner with the current step on a terminal, a line a step elsewhere."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self._status = console.status(title)

    def __enter__(self) -> "Steps":
        if console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def __call__(self, step: str) -> None:
        elapsed = time.monotonic() - self.started
        if console.is_terminal:
            self._status.update(f"{self.title}: {step} …")
        else:
            console.print(f"[{elapsed:5.1f} s] {step}", markup=False)


@app.command()
def run(name: Name) -> None:
    """Start an example on this machine and keep it running until Ctrl-C."""
    with sentences(), ends_by_signal():
        example = catalog.example(name)
        folder = state_dir(example)
        try:
            with owned(folder):
                _refuse_second_kind(read_state(folder))
                _run(example, folder)
        except AlreadyRuns as running:
            where = running.state.get("url", "starting")
            console.print(f"{name} already runs: {where} (stop it with Ctrl-C in its terminal).")


def _run(example: Example, folder: Path) -> None:
    started = time.monotonic()
    with Steps(f"Starting {example.name}") as steps:
        stack = EmbeddedStack(example, folder, preferred_ports=True, progress=steps)
        try:
            stack.start_all()
        except BaseException:
            stack.close()
            raise
    try:
        _introduce(example, stack)
        memory = resident_bytes([child.pid for child in stack.children().values()]) / 2**20
        seconds = time.monotonic() - started
        console.print(
            f"\nReady after {seconds:.1f} s, {memory:.0f} MB resident. Stop it with Ctrl-C."
        )
        while (dead := stack.dead()) is None:
            time.sleep(0.2)
        raise StackError(
            f"{dead.name} ended with exit code {dead.exit_code}; everything else was stopped.",
            dead.tail(),
        )
    finally:
        stack.close()
        console.print(f"{example.name} is stopped; its data is kept for the next run.")


def _introduce(example: Example, stack: "EmbeddedStack | ComposeStack") -> None:
    url = stack.url
    console.print(f"\n[bold]{example.title}[/bold] runs at [bold]{url}/api/[/bold]")
    console.print(f"  Swagger UI  {url}/api/docs/")
    console.print(f"  metrics     {url}/metrics")
    for service, address in stack.services.items():
        console.print(f"  {service:<11} {address}")
    console.print(f"  staff token {stack.staff_token}")
    console.print(f"  state, logs .nexus/{example.name}/stack.json, .nexus/{example.name}/logs/")
    console.print("\nTry:")
    for command in example.curl_commands()[:3]:
        console.print(
            "  " + command.replace("http://127.0.0.1:8000", url), markup=False, soft_wrap=True
        )


def _refuse_second_kind(state: dict[str, object]) -> None:
    if state.get("kind") == "compose" and _compose_runs(str(state["example"])):
        raise StackError(f"It runs in containers at {state['url']}; `make down` stops it.")


def _project(name: str) -> str:
    return f"nexus-{name}"


def _compose_runs(name: str) -> bool:
    command = [
        "docker",
        "ps",
        "-q",
        "--filter",
        f"label=com.docker.compose.project={_project(name)}",
    ]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(done.stdout.strip())


@app.command()
def up(name: Name) -> None:
    """Start an example in containers and return."""
    from nexus.stacks.compose import ComposeStack

    with sentences(), ends_by_signal():
        example = catalog.example(name)
        folder = state_dir(example)
        try:
            with owned(folder):
                state = read_state(folder)
                if state and _compose_runs(name):
                    console.print(
                        f"{name} already runs: {state['url']} (stop it with `make down`)."
                    )
                    return
                with Steps(f"Starting {name}") as steps:
                    stack = ComposeStack(
                        example, folder, _project(name), preferred_ports=True, progress=steps
                    )
                    try:
                        stack.start_all()
                    except BaseException:
                        stack.close()
                        raise
                _introduce(example, stack)
                console.print(f"\nStop it with `make down EXAMPLE={name}`.")
        except AlreadyRuns as running:
            fail(f"{name} runs embedded at {running.state.get('url')}; stop that first.")


@app.command()
def down(name: Name) -> None:
    """Stop an example's containers and remove their volumes."""
    from nexus.stacks.compose import ComposeStack, engine_problem

    with sentences():
        example = catalog.example(name)
        if problem := engine_problem():
            raise StackError(problem)
        stack = ComposeStack(example, state_dir(example), _project(name))
        stack.close()
        console.print(f"{name} is down.")


@app.command()
def prove(
    name: Annotated[str | None, typer.Argument(help="Name of an example; all without it.")] = None,
    claim: Annotated[str | None, typer.Option(help="Slug of one claim.")] = None,
    stack: Annotated[str, typer.Option(help="embedded or compose.")] = "embedded",
    record: Annotated[bool, typer.Option(help="Write results/<example>.json.")] = False,
) -> None:
    """Run experiments and print a table of claims and variants with figures."""
    with sentences(), ends_by_signal():
        chosen = [catalog.example(name)] if name else catalog.examples()
        if stack not in ("embedded", "compose"):
            fail(f"There is no stack {stack!r}; the stacks are: embedded, compose.", code=USAGE)
        differing = [each for each in chosen if not _prove(each, claim, stack, record=record)]
    if differing:
        names = ", ".join(each.name for each in differing)
        fail(f"At least one verdict differs from what is declared: {names}.")


def _prove(example: Example, claim: str | None, kind: str, *, record: bool) -> bool:
    from nexus.prove import proof_stack
    from nexus.prove import prove as run_all

    experiments = [example.experiment(claim)] if claim else list(example.experiments.values())
    proofs: list[Proof] = []
    with Steps(f"Proving {example.name} ({kind})") as steps:
        with proof_stack(example, "compose" if kind == "compose" else "embedded", steps) as stack:
            for proof in run_all(
                stack, experiments, lambda each, variant: steps(f"{each.slug} with {variant}")
            ):
                proofs.append(proof)
                console.print(_line(proof))
    console.print(_table(example, kind, proofs))
    if record:
        _record(example, kind, proofs)
    return all(proof.as_declared for proof in proofs)


def _line(proof: "Proof") -> str:
    mark = "[green]as declared[/green]" if proof.as_declared else "[bold red]DIFFERS[/bold red]"
    word = "holds" if proof.verdict.holds else "refuted"
    slug, figure = proof.experiment.slug, proof.verdict.figure
    return f"  {slug:<22} {proof.variant:<24} {word:<8} {mark}  {figure} ({proof.seconds:.1f} s)"


def _table(example: Example, kind: str, proofs: "list[Proof]") -> Table:
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


def _record(example: Example, kind: str, proofs: "list[Proof]") -> None:
    runs = [
        results.Run(
            claim=proof.experiment.slug,
            variant=proof.variant,
            expected=proof.expected,
            holds=proof.verdict.holds,
            figure=proof.verdict.figure,
            measured=proof.verdict.measured,
            bound=proof.verdict.bound,
            params=proof.params,
            units=proof.experiment.units,
            samples=proof.samples,
        )
        for proof in proofs
    ]
    recording = results.Recording(
        stack=kind,
        recorded_at=datetime.now(UTC).date(),
        machine=results.machine(),
        versions=_versions(example),
        runs=tuple(runs),
    )
    claims = {slug: experiment.claim for slug, experiment in example.experiments.items()}
    path = ROOT / "results" / f"{example.name}.json"
    results.add(path, example.name, claims, recording)
    console.print(f"Recorded in results/{example.name}.json; `make sync` fills the write-ups.")


def _versions(example: Example) -> dict[str, str]:
    direct = (example.path / "requirements.in").read_text().split()
    names = {name.split("[")[0].split(">")[0].split("=")[0].lower() for name in direct}
    lock = (example.path / "requirements.txt").read_text().splitlines()
    pinned = dict(line.split(" ")[0].split("==") for line in lock if "==" in line.split(" ")[0])
    return {
        name: version for name, version in pinned.items() if name.split("[")[0].lower() in names
    }


@app.command()
def bench(
    name: Name,
    record: Annotated[bool, typer.Option(help="Write it into results/<example>.json.")] = False,
) -> None:
    """Measure the solution beside its peers in one run."""
    from nexus.bench import bench as measure

    with sentences(), ends_by_signal():
        example = catalog.example(name)
        measure(example, Steps(f"Benchmark of {name}"), record=record)


@app.command()
def sync(
    check: Annotated[bool, typer.Option(help="Write nothing; fail if one is stale.")] = False,
) -> None:
    """Fill code, figures and compose services into the files that show them."""
    from nexus import writeup

    with sentences():
        stale = writeup.sync(ROOT, check=check)
    for each in stale:
        console.print(str(each), markup=False, soft_wrap=True)
    if check and stale:
        fail("Run `make sync` and commit what it changes.")
    console.print(f"{len(stale)} block(s) {'stale' if check else 'updated'}.")


@app.command()
def doctor() -> None:
    """Check what this machine can run."""
    from nexus import doctor as checks

    raise typer.Exit(checks.main())


@app.command()
def clean() -> None:
    """Stop whatever still runs, and remove containers, volumes and data."""
    from nexus.clean import clean_all

    with sentences():
        for line in clean_all():
            console.print(line, markup=False)


if __name__ == "__main__":
    app()
