"""A tool of others reads the contract, makes requests of it, and compares what comes back: schemathesis."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from uv import find_uv_bin

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    clock_starts,
    expect,
    rest,
)

from . import told, url

HERE = Path(__file__).parent
LEAST = 100  # calls: fewer would be another examination than the claim speaks of
EXAMINATION = ("--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--seed", "2026")
DEADLINE_SECONDS = 300.0  # ten on an idle machine; 66 were seen beside other work


class AnswersAreAsWritten(Experiment):
    """It is a judge from outside, in an environment of its own, with its own locked versions."""

    slug = "answers-are-as-written"
    claim = (
        "Every route is in the contract, and schemathesis finds no answer that is not as written."
    )
    holds = ("kept",)
    refuted = ("generated",)
    unwritten = Series("routes")
    violations = Series("violations")
    calls = Series("calls")
    chart = Chart(violations, "violations of the contract", x="calls", bound=0)
    reports = (
        (
            "mozilla/pontoon#4531",
            "a view without a serializer is in the contract without an answer: a line in the log",
            "a route that the contract does not have, or has without an answer, is counted",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        written = url(stack, variant, "schema/")
        yield clock_starts()
        yield self.unwritten(len(unwritten(stack, variant)))
        try:
            report = examined(written)
        finally:
            stack.manage("prepare", "--again")  # some variants let anybody delete flights
        yield self.calls(report["test_cases"]["generated"])
        found = report["test_cases"]["unique_failures"]
        yield self.violations(found, x=report["test_cases"]["generated"])

    def judge(self, samples: Samples, params: Params) -> Verdict:
        calls = samples.last(self.calls)
        words = f"{{measured}} violations in {calls:,.0f} calls"
        found = Verdict.at_most(samples.last(self.violations), 0, words)
        words = "{measured:route} without a body or an answer in the contract"
        routes = Verdict.at_most(samples.last(self.unwritten), 0, words)
        words = "{measured} calls made, at least {bound}"
        return (found & routes).provided(Verdict.at_least(calls, LEAST, words))


def unwritten(stack: Stack, variant: str) -> list[str]:
    """Return the routes that the contract does not have, or has without a body or what is answered."""
    (asked,) = [
        each
        for each in told(expect(ask(f"{stack.url}/api/"), 200))["variants"]
        if each["name"] == variant
    ]
    contract = told(expect(ask(stack.url + asked["schema"]), 200))
    written = {
        f"{method.upper()} {nameless(path.removeprefix(f'/api/{variant}'))}"
        for path, methods in contract["paths"].items()
        for method, said in methods.items()
        if is_written(method, said)
    }
    return [each for each in asked["routes"] if nameless(each) not in written]


def is_written(method: str, said: dict[str, dict[str, dict[str, object]]]) -> bool:
    """Whether an operation says what it answers, and what it is sent."""
    answers = [each for status, each in said["responses"].items() if status.startswith("2")]
    has_body = "requestBody" in said or method not in ("post", "put", "patch")
    return has_body and (method == "delete" or all("content" in each for each in answers))


def nameless(path: str) -> str:
    return re.sub(r"[<{][^>}]+[>}]", "{}", path)


def examined(contract: str) -> dict[str, dict[str, int]]:
    """Run schemathesis, and return its report.

    Raises:
        ExperimentError: it did not end, or could not do its work.
    """
    lock = HERE.parent / "requirements-judge.txt"
    environment = ["run", "--no-project", "--isolated", "--quiet", "--python", sys.executable]
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [find_uv_bin(), *environment, "--with-requirements", str(lock), "schemathesis"]
        command += ["--config-file", str(HERE / "schemathesis.toml"), "run", contract, *EXAMINATION]
        command += ["--continue-on-failure", "--no-shrink", "--generation-database", "none"]
        command += ["--report", "json", "--report-json-path", str(report)]
        with (Path(folder) / "said").open("w+", encoding="utf-8") as said:
            # In a group of its own: uv starts it as a process that would outlive uv.
            process = subprocess.Popen(
                command, cwd=folder, stdout=said, stderr=said, start_new_session=True
            )
            try:
                ended = _wait(process)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            said.seek(0)
            if not ended or not report.exists():
                raise ExperimentError(f"schemathesis gave no report: {said.read()[-500:]}")
        found: dict[str, dict[str, int]] = json.loads(report.read_text(encoding="utf-8"))
    return found


def _wait(process: subprocess.Popen[bytes]) -> bool:
    for _ in range(int(DEADLINE_SECONDS / 0.1)):
        if process.poll() is not None:
            return True
        rest(0.1)
    return False
