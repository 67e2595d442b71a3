"""Runs `benchmarks/<example>.py` beside fresh services, in an environment with the peers installed."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from nexus import lifetime, results
from nexus.catalog import ROOT, Example
from nexus.environment import ensure_environment, ensure_lock, state_dir
from nexus.machine import this_machine
from nexus.prove import Kind
from nexus.results import Bench
from nexus.stacks.base import Progress, StackError
from nexus.stacks.compose import ComposeStack
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.state import project

CODE = ROOT  # where the guard is


def bench(
    example: Example,
    progress: Progress,
    *,
    kind: Kind = "embedded",
    record: bool,
) -> Bench:
    """Run the benchmark in the foreground, beside the services of a stack; it prints its own table.

    Whatever it has started ends with it, and with the harness.

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
        env = services.environment() | {"PYTHONPATH": str(CODE)}
        python = ["env", f"PYTHONPATH={example.path}", str(binaries / "python")]
        code = _guarded([*python, str(script), "--output", str(output)], env)
        if code:
            raise StackError(f"The benchmark of {example.name} ended with exit code {code}.")
        table = _table(output)
    if record:
        results.add_bench(results.place(ROOT, example.name), example.name, table, kind)
    return table


def _guarded(command: Sequence[str], env: Mapping[str, str]) -> int:
    # In a session of its own, so that Ctrl-C reaches the harness alone: the guard ends all of them.
    guard = lifetime.start([sys.executable, "-m", "nexus.guard", *command], env=env)
    try:
        return guard.wait()
    finally:
        guard.terminate()
        guard.wait()
        lifetime.forget(guard.pid)


def _table(output: Path) -> Bench:
    written = msgspec.json.decode(output.read_bytes())
    about = {"recorded_at": datetime.now(UTC).date(), "machine": this_machine()}
    return msgspec.convert(written | about, Bench)
