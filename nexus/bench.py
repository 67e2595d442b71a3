"""Runs `benchmarks/<example>.py` beside fresh services, in an environment with the peers installed."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from nexus import results
from nexus.catalog import ROOT, Example
from nexus.environment import ensure_environment, ensure_lock, state_dir
from nexus.machine import this_machine
from nexus.prove import Kind
from nexus.stacks.base import Progress, StackError
from nexus.stacks.compose import ComposeStack
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.state import project


def bench(
    example: Example,
    progress: Progress,
    *,
    kind: Kind = "embedded",
    record: bool,
) -> None:
    """Run the benchmark in the foreground, beside the services of a stack; it prints its own table.

    Raises:
        StackError: there is no benchmark for `example`, or it failed.
        AlreadyRuns: another process runs it.
    """
    script = ROOT / "benchmarks" / f"{example.name}.py"
    if not script.exists():
        raise StackError(f"{example.name} has no benchmark.")
    folder = state_dir(example)
    lock = script.with_suffix(".txt")
    progress("installing the peers" if lock.exists() else "installing packages")
    # A benchmark without a lock of its own compares the example with itself.
    binaries = (
        ensure_lock(folder / "bench-venv", lock) if lock.exists() else ensure_environment(example)
    )
    state = folder / "bench"
    stack: EmbeddedStack | ComposeStack
    if kind == "compose":
        name = project(f"{example.name}-bench")
        stack = ComposeStack(example, state, name, services_only=True, progress=progress)
    else:
        stack = EmbeddedStack(example, state, services_only=True, progress=progress)
    with stack.temporarily() as services:
        progress("measuring")
        output = stack.state / "bench.json"
        env = services.environment() | {"PYTHONPATH": str(example.path)}
        command = [str(binaries / "python"), str(script), "--output", str(output)]
        done = subprocess.run(command, env=env, check=False)
        if done.returncode:
            raise StackError(
                f"The benchmark of {example.name} ended with exit code {done.returncode}."
            )
        if record:
            _record(example, output)


def _record(example: Example, output: Path) -> None:
    measured = json.loads(output.read_text())
    table = results.Bench(
        recorded_at=datetime.now(UTC).date(),
        machine=this_machine(),
        versions=measured["versions"],
        columns=tuple(measured["columns"]),
        rows=tuple(tuple(row) for row in measured["rows"]),
    )
    results.add_bench(results.place(ROOT, example.name), example.name, table)
