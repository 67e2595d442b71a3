"""The commands behind the Makefile: one line each for people, an exit code for programs."""

import re
import time
from typing import TYPE_CHECKING, Annotated

import typer

from nexus import catalog
from nexus.catalog import ROOT, Example
from nexus.console import USAGE, Steps, console, ends_by_signal, fail, sentences
from nexus.environment import state_dir
from nexus.mine import NAME as MINE
from nexus.mine import Mine, solution
from nexus.stacks.base import StackError
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.offered import unprovable
from nexus.stacks.processes import memory_bytes
from nexus.stacks.state import AlreadyRuns, compose_runs, owned, project, read_state

if TYPE_CHECKING:
    from nexus.lab.house import Lab
    from nexus.prove import Kind
    from nexus.stacks.compose import ComposeStack

DOCUMENTED_URL = "http://127.0.0.1:8001"  # where the write-ups assume an example

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Name = Annotated[str, typer.Argument(help="Name of an example.")]


@app.command()
def run(name: Name = "") -> None:
    """Open the lab, start an example if one is named, and keep both running until Ctrl-C."""
    with sentences(), ends_by_signal():
        _run(catalog.example(name) if name else None)


@app.command()
def mine(
    name: Name = "",
    reset: Annotated[bool, typer.Option(help="Begin again; the old file is kept.")] = False,
    show: Annotated[str, typer.Option(help="solution: say where it is, and start nothing.")] = "",
) -> None:
    """Write a variant of your own, and run the example with it until Ctrl-C."""
    with sentences(), ends_by_signal():
        example = catalog.example(name)
        own = Mine(example)
        if show:
            if show != "solution":
                fail(f"SHOW={show} is not known; there is SHOW=solution.", code=USAGE)
            console.print(solution(example), markup=False, soft_wrap=True)
            return
        if reset and (kept := own.reset()):
            console.print(f"The old file is kept as {kept.name} beside it.")
        written = own.begin() or reset
        console.print(f"{'Written' if written else 'Yours'}: {own.shown}", markup=False)
        _run(example, own)


def _run(example: Example | None, own: Mine | None = None) -> None:
    from nexus.lab.house import Lab

    name = example.name if example else ""
    started = time.monotonic()
    lab = Lab()
    farewell = ""
    try:
        lab.open()
        lab.warm_up()
        if example:
            _start(lab, example, own)
        farewell = "\nThe lab is closed; what ran in it is stopped, its data kept for the next run."
        seconds = time.monotonic() - started
        console.print(f"\nThe lab is open at [bold]{lab.address(name)}[/bold]", soft_wrap=True)
        console.print(f"Ready after {seconds:.1f} s. Stop it with Ctrl-C.")
        while not (example and lab.stacks.describe(name)["state"] == "failed"):
            time.sleep(0.2)
        failed = lab.stacks.describe(name)
        raise StackError(failed["error"], failed["log"])
    except AlreadyRuns as running:
        where = running.state.get("url", "starting")
        console.print(f"{name} already runs: {where} (stop it with Ctrl-C in its terminal).")
    finally:
        lab.close()
        if farewell:
            console.print(farewell)


def _start(lab: "Lab", example: Example, own: Mine | None) -> None:
    if own:
        lab.stacks.adopt(example.name, own, lambda said: console.print(said, markup=False))
    with Steps(f"Starting {example.name}") as steps:
        stack = lab.stacks.start_now(example.name, steps)
    _introduce(example, stack)
    if own:
        console.print(f"\nYour variant: change {own.shown}, and save it. Then:", soft_wrap=True)
        if command := _of_mine(example, stack.url):
            console.print(f"  {command}", markup=False, soft_wrap=True)
        console.print(f"  make prove EXAMPLE={example.name} VARIANT={MINE}")
    memory = memory_bytes([child.pid for child in stack.children().values()]) / 2**20
    console.print(f"\n{example.name} takes {memory:.0f} MB of memory.")


def _of_mine(example: Example, url: str) -> str:
    """Return the first command of the write-up that asks the solution, with the reader's own in its place."""
    names = {each.solution() for each in example.experiments.values()}
    solution_path = re.compile(f"/api/({'|'.join(names)})/")
    command = next(filter(solution_path.search, example.curl_commands()), "")
    return solution_path.sub(f"/api/{MINE}/", command).replace(DOCUMENTED_URL, url)


def _introduce(example: Example, stack: "EmbeddedStack | ComposeStack") -> None:
    url = stack.url
    console.print(f"\n[bold]{example.title}[/bold] runs at [bold]{url}/api/[/bold]")
    links = {name: place for name, place in stack.links().items() if name != "API"}
    for name, address in (links | stack.services).items():
        console.print(f"  {name:<11} {address}", soft_wrap=True)
    console.print(f"  staff token {stack.staff_token}")
    console.print(f"  state, logs .nexus/{example.name}/stack.json, .nexus/{example.name}/logs/")
    console.print("\nTry:")
    for command in example.curl_commands()[:3]:
        console.print("  " + command.replace(DOCUMENTED_URL, url), markup=False, soft_wrap=True)


@app.command()
def up(name: Name = "") -> None:
    """Start an example in containers and return."""
    from nexus.stacks.compose import ComposeStack

    with sentences(), ends_by_signal():
        example = catalog.example(name)
        folder = state_dir(example)
        try:
            with owned(folder):
                state = read_state(folder)
                if state and compose_runs(name):
                    console.print(
                        f"{name} already runs: {state['url']} (stop it with `make down`)."
                    )
                    return
                with Steps(f"Starting {name}") as steps:
                    stack = ComposeStack(
                        example, folder, project(name), preferred_ports=True, progress=steps
                    )
                    stack.start_or_leave_nothing()
                _introduce(example, stack)
                console.print(f"\nStop it with `make down EXAMPLE={name}`.")
        except AlreadyRuns as running:
            fail(f"{name} runs embedded at {running.state.get('url')}; stop that first.")


@app.command()
def down(name: Name = "") -> None:
    """Stop an example's containers and remove their volumes."""
    from nexus.stacks.compose import ComposeStack, engine_problem

    with sentences():
        example = catalog.example(name)
        if problem := engine_problem():
            raise StackError(problem)
        stack = ComposeStack(example, state_dir(example), project(name))
        stack.close()
        console.print(f"{name} is down.")


@app.command()
def prove(
    name: Annotated[str | None, typer.Argument(help="Name of an example; all without it.")] = None,
    claim: Annotated[str | None, typer.Option(help="Slug of one claim.")] = None,
    variant: Annotated[str, typer.Option(help="One variant; mine is your own.")] = "",
    stack: Annotated[str, typer.Option(help="embedded or compose.")] = "embedded",
    record: Annotated[bool, typer.Option(help="Write results/<example>.json.")] = False,
    coverage: Annotated[
        bool, typer.Option(help="Prove the solution alone, and print which lines that reaches.")
    ] = False,
    times: Annotated[int, typer.Option(min=1, help="Run everything so often in a row.")] = 1,
) -> None:
    """Run experiments and print a table of claims and variants with figures."""
    with sentences(), ends_by_signal():
        if times > 1 and (record or coverage):
            fail("TIMES is for looking: it goes with neither RECORD=1 nor COVERAGE=1.", code=USAGE)
        if variant and (record or coverage):
            fail(
                "VARIANT is for looking: it goes with neither RECORD=1 nor COVERAGE=1.", code=USAGE
            )
        chosen = [catalog.example(name)] if name else catalog.examples()
        kind = _kind(stack)
        if variant == MINE:
            if times > 1 or kind != "embedded":
                fail("VARIANT=mine goes with EXAMPLE=… and CLAIM=… alone.", code=USAGE)
            from nexus.judge import judge

            if not judge(catalog.example(name or ""), claim):
                raise typer.Exit(1)
            return
        if coverage:
            if record or kind != "embedded":
                fail("COVERAGE=1 is for the embedded stack, and records nothing.", code=USAGE)
            for each in chosen:
                _cover(each, claim)
            return
        differing = [
            each
            for each in chosen
            if not _prove(each, claim, kind, variant=variant, record=record, times=times)
        ]
    if differing:
        names = ", ".join(each.name for each in differing)
        fail(f"At least one verdict differs from what is declared: {names}.")


def _kind(stack: str) -> "Kind":
    if stack not in ("embedded", "compose"):
        fail(f"There is no stack {stack!r}; the stacks are: embedded, compose.", code=USAGE)
    return "compose" if stack == "compose" else "embedded"


def _prove(
    example: Example, claim: str | None, kind: "Kind", *, variant: str, record: bool, times: int
) -> bool:
    from nexus import report
    from nexus.prove import proof_stack
    from nexus.prove import prove as run_all

    experiments = [example.experiment(claim)] if claim else list(example.experiments.values())
    reasons = {each: unprovable(each, kind) for each in experiments}
    for reason in filter(None, reasons.values()):
        console.print(reason, soft_wrap=True)
    experiments = [each for each, reason in reasons.items() if not reason]
    if variant:
        experiments = [each for each in experiments if variant in each.variants()]
    if not experiments:
        fail(f"There is nothing to prove {f'of {variant} ' if variant else ''}on this stack.")
    proofs = []
    with (
        Steps(f"Proving {example.name} ({kind})") as steps,
        proof_stack(example, kind, steps) as stack,
    ):
        for proof in run_all(
            stack,
            experiments * times,
            lambda each, with_: steps(f"{each.slug}, {with_}"),
            lambda each: (variant,) if variant else each.variants(),
        ):
            proofs.append(proof)
            console.print(report.line(proof), soft_wrap=True)
        if record and not claim and kind == "embedded":
            steps("recording what its commands print")
            report.record_outputs(example, stack)
    console.print((report.spread if times > 1 else report.table)(example, kind, proofs))
    if record:
        report.record(example, kind, proofs)
        console.print(f"Recorded in results/{example.name}.json; `make sync` fills the write-ups.")
    return all(proof.as_declared for proof in proofs)


def _cover(example: Example, claim: str | None) -> None:
    from nexus import coverage, report
    from nexus.prove import proof_stack
    from nexus.prove import prove as run_all

    experiments = [example.experiment(claim)] if claim else list(example.experiments.values())
    provable = [each for each in experiments if not unprovable(each, "embedded")]
    watch = coverage.Watch(example, state_dir(example) / "coverage")
    with (
        Steps(f"Proving {example.name} (embedded)") as steps,
        proof_stack(example, "embedded", steps, watch=watch) as stack,
    ):
        for proof in run_all(
            stack,
            provable,
            lambda each, with_: steps(f"{each.slug}, {with_}"),
            lambda each: (each.solution(),),
        ):
            console.print(report.line(proof), soft_wrap=True)
        console.print(coverage.table(example, watch.reached()))


@app.command()
def bench(
    name: Name = "",
    stack: Annotated[str, typer.Option(help="embedded or compose.")] = "embedded",
    record: Annotated[bool, typer.Option(help="Write it into results/<example>.json.")] = False,
) -> None:
    """Measure the solution beside its peers in one run."""
    from nexus.bench import bench as measure

    with sentences(), ends_by_signal():
        example = catalog.example(name)
        # Lines, not a spinner: the benchmark prints to the same terminal.
        table = measure(
            example, lambda step: console.print(f"{step} …"), kind=_kind(stack), record=record
        )
    if table.missed:
        fail(f"{table.missed} of {len(table.goals)} goals missed: {name}.")


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
def site(url: Annotated[str, typer.Option(help="where it will be served")] = "") -> None:
    """Write the lab's pages into site/, for any static host or the file system."""
    from nexus.lab.export import export

    with sentences():
        count = export(ROOT / "site", url)
        console.print(f"{count} pages in site/; open site/index.html.")


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
