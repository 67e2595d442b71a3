"""`make lint`: every static check of the repository, all of them run before it fails."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nexus.catalog import ROOT, examples
from nexus.environment import ensure_environment
from nexus.notes import notes
from nexus.stacks.compose import IMAGES, engine_problem

TOOLS = Path(sys.executable).parent


@dataclass(frozen=True)
class Step:
    """One check: a command in a folder."""

    name: str
    command: Sequence[str]
    cwd: Path = ROOT


@dataclass(frozen=True)
class Finding:
    """What a step found; `output` is empty when it found nothing."""

    step: Step
    failed: bool
    output: str
    seconds: float


def steps() -> Iterator[Step]:
    """Yield every check this machine can make."""
    yield Step("ruff check", [str(TOOLS / "ruff"), "check", "."])
    yield Step("ruff format", [str(TOOLS / "ruff"), "format", "--check", "."])
    yield Step("mypy nexus", [str(TOOLS / "mypy")])
    for example in examples():
        binaries = ensure_environment(example, dev=True)
        yield Step(f"mypy {example.name}", [str(binaries / "mypy"), "."], example.path)
    yield Step("zizmor", [str(TOOLS / "zizmor"), "--offline", "--quiet", ".github/workflows"])
    yield Step("write-ups", [sys.executable, "-m", "nexus", "sync", "--check"])
    yield Step("hub", [sys.executable, "-m", "nexus.rules"])
    if shutil.which("shellcheck"):
        yield Step("shellcheck", ["shellcheck", *scripts()])
    if engine_problem() is None:
        images = ["--env-file", str(IMAGES)] if IMAGES.exists() else []
        for file in sorted([*ROOT.glob("compose/*.yml"), *ROOT.glob("examples/*/compose.yml")]):
            command = ["docker", "compose", *images, "-f", str(file), "config", "-q"]
            yield Step(str(file.relative_to(ROOT)), command)


def scripts() -> list[str]:
    """Every file that a shell runs, by its first line."""
    places = [*ROOT.glob("*.sh"), *ROOT.glob(".ci/*"), *ROOT.glob("compose/airgap/*")]
    found = [
        path
        for path in places
        if path.is_file() and re.match(r"#!.*sh\b", path.read_text(encoding="utf-8"))
    ]
    return [str(path.relative_to(ROOT)) for path in found]


def run(step: Step) -> Finding:
    """Run one check to its end."""
    started = time.monotonic()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        step.command, cwd=step.cwd, capture_output=True, text=True, check=False, env=env
    )
    output = (done.stdout + done.stderr).strip()
    return Finding(step, done.returncode != 0, output, time.monotonic() - started)


def say_notes() -> bool:
    """Print what fails nothing but is worth a look; False if it could not be read."""
    try:
        found = [note for example in examples() for note in notes(ROOT, example)]
    except (ValueError, OSError) as error:
        sys.stdout.write(f"{error}.\n")
        return False
    if found:
        sys.stdout.write("\nWorth a look, though nothing fails by it:\n")
        sys.stdout.writelines(f"  {note}\n" for note in found)
    return True


def main() -> int:
    """Run all checks and return the exit code."""
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for finding in pool.map(run, steps()):
            mark = "FAILED" if finding.failed else "ok"
            sys.stdout.write(f"{finding.step.name:<34} {mark} ({finding.seconds:.1f} s)\n")
            if finding.failed:
                failed.append(finding.step.name)
                sys.stdout.write(finding.output + "\n")
            sys.stdout.flush()
    if not say_notes():
        failed.append("reports")
    if problem := engine_problem():
        sys.stdout.write(f"compose files                      not checked: {problem}\n")
        if os.environ.get("CI") == "true":
            failed.append("compose files")
    if failed:
        sys.stdout.write(
            f"\n{len(failed)} check(s) failed: {', '.join(failed)}. `make format` mends formatting.\n"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
