"""The public bug reports that an example's tests try: read from their source, nothing is imported.

A test says `@pytest.mark.report("owner/repo#1", "the fault in one line", "what happens here")`, a
claim `reports = (("owner/repo#1", "the fault in one line", "what happens here"),)` in its class.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)#(?P<number>\d+)")
FORM = 'a report is written ("owner/repo#1", "the fault in one line", "what happens here")'
LEAST = 8  # of an example that is worth the name


@dataclass(frozen=True, slots=True)
class Report:
    """A fault that somebody met elsewhere, and what this example does with it.

    Attributes:
        source: `owner/repo#number`.
        test: `tests/test_proxies.py::test_name`, relative to the example; of a claim its class.
    """

    source: str
    fault: str
    here: str
    test: str

    @property
    def url(self) -> str:
        """Where it can be read; GitHub leads from there to a pull request of that number, too."""
        repository, _, number = self.source.partition("#")
        return f"https://github.com/{repository}/issues/{number}"


def reports(example: Path) -> list[Report]:
    """Return the reports of the example in the folder `example`, by file and line.

    Raises:
        ValueError: one is not written as it should be; the message names file and line.
    """
    found: list[Report] = []
    for folder in ("tests", "experiments"):
        for path in sorted((example / folder).rglob("*.py")):
            name = path.relative_to(example).as_posix()
            found += _of_file(name, f"examples/{example.name}/{name}", path.read_bytes())
    return found


def _of_file(name: str, where: str, source: bytes) -> Iterator[Report]:
    tree = ast.parse(source, where)
    placed = set()
    for symbol, node in _definitions(tree.body):
        for line, values in _written(node):
            placed.add(line)
            yield _report(values, f"{where}:{line}", f"{name}::{symbol}")
    for marker in ast.walk(tree):
        if isinstance(marker, ast.expr) and _is_marker(marker) and marker.lineno not in placed:
            raise ValueError(f"{where}:{marker.lineno}: the marker report belongs above a test")


def _definitions(body: list[ast.stmt], inside: str = "") -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{inside}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, f"{inside}{node.name}.")


def _written(node: ast.stmt) -> Iterator[tuple[int, list[ast.expr]]]:
    """Yield the line and the arguments of each report of a test or of a claim's class."""
    if isinstance(node, ast.ClassDef):
        for each in node.body:
            match each:
                case (
                    ast.Assign(targets=[ast.Name("reports")], value=value)
                    | ast.AnnAssign(target=ast.Name("reports"), value=ast.expr() as value)
                ):
                    for report in value.elts if isinstance(value, ast.Tuple) else [value]:
                        yield report.lineno, report.elts if isinstance(report, ast.Tuple) else []
        return
    for decorator in getattr(node, "decorator_list", []):
        for call in ast.walk(decorator):
            if isinstance(call, ast.Call) and _is_marker(call.func):
                yield call.func.lineno, [] if call.keywords else call.args


def _is_marker(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(ast.Attribute(ast.Name("pytest"), "mark"), "report"):
            return True
    return False


def _report(values: list[ast.expr], where: str, test: str) -> Report:
    match [each.value for each in values if isinstance(each, ast.Constant)]:
        case [str(source), str(fault), str(here)] if len(values) == 3 and all((fault, here)):
            if SOURCE.fullmatch(source):
                return Report(source, fault, here, test)
    raise ValueError(f"{where}: {FORM}")
