"""The rules that every page of the hub keeps: `make lint` prints a sentence for each that one breaks."""

import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from nexus.catalog import ROOT
from nexus.hub import COMMAND, HubPage, pages

MOST_LINES, MOST_ALTOGETHER = 80, 2_200  # that were typed
# Numbers that no run measures and no source states.
ALLOWED = re.compile(
    r"^\s*\d+\.\s|\bRFC \d+|\bHTTP \d{3}|\b\d{4}-\d\d-\d\d|\bIPv[46]\b|\bN\+1\b|/\d+\b|\b[Ww]eeks? \d+"
    r"|\b(?:Django|Python|PostgreSQL|Redis|Celery|RabbitMQ|OpenAPI|UUIDv|HTTP/)\s?\d[\d.]*"
)
# What a reader copies, and the test that runs it.
RUN_ELSEWHERE = {
    "make": "tests/test_repository.py and tests/test_cli.py",
    "git": "the README's first commands, run by .ci/bare; tests/test_exercises.py applies each patch",
    "cd": "likewise",
}
TERM = re.compile(r"^\*\*([^*]+)\*\* (?:is|are|means)\b")

type Broken = Iterator[tuple[int, str]]
"""The line, and what is wrong there and to be done."""


def problems(root: Path = ROOT) -> Iterator[str]:
    """Yield file, line and a sentence for each rule that is broken."""
    found = pages(root)
    doors = [
        HubPage(root / "README.md"),
        *(page for page in found if page.path.name == "README.md"),
    ]
    linked = set[Path]().union(*(each.links for each in doors))
    terms: dict[str, str] = {}
    for page in found:
        name = page.path.relative_to(root).as_posix()
        for check in (_is_short, _types_no_number, _commands_are_run, _rules_are_proved, _shows):
            yield from (f"{name}:{line}: {sentence}" for line, sentence in check(page))
        for line, text in page.typed:
            if term := TERM.match(text):
                place = f"{name}:{line}"
                first = terms.setdefault(term[1].lower(), place)
                if first != place:
                    yield f"{place}: {term[1]!r} is defined in {first}, too; link to it instead."
        if page.path.resolve() not in linked:
            yield f"{name}:1: no README.md of the hub leads here; give its folder an `index` block."
    if (count := sum(len(each.typed) for each in found)) > MOST_ALTOGETHER:
        yield f"docs:1: {count:,} typed lines, {MOST_ALTOGETHER:,} are allowed; say which page goes."


def _is_short(page: HubPage) -> Broken:
    if len(page.typed) > MOST_LINES:
        line, _ = page.typed[MOST_LINES]
        yield line, f"{len(page.typed)} typed lines, {MOST_LINES} are allowed; split the page."


def _types_no_number(page: HubPage) -> Broken:
    for line, text in page.prose:
        if number := re.search(r"\d(?:[\d,.]*\d)?", ALLOWED.sub("", text)):
            fill = "fill it in with `figure`, `measured`, `param` or `setting`, or write it as code"
            yield line, f"{number[0]!r} is typed; {fill}."


def _commands_are_run(page: HubPage) -> Broken:
    sessions = [*page.sessions]
    for session in sessions:
        for command, _ in session.commands:
            if not session.example and command.split()[0] not in RUN_ELSEWHERE:
                yield session.line, f"no test runs `{command}`; say where: ```console example=NAME."
        if "troubleshooting" in page.path.parts and not session.symptom:
            yield session.line, "what makes this symptom? <!-- symptom: paused redis --> above it."
    if sum(len(each.commands) for each in sessions) < len(COMMAND.findall(page.text)):
        yield 1, "a command stands outside of a ```console fence; no test would find it."


def _rules_are_proved(page: HubPage) -> Broken:
    """Of the rules of a page at most a third are conventions."""
    if "best-practices" not in page.path.parts:
        return
    starts = [number for number, line in page.typed if line.startswith("- ")]
    lines = page.text.split("\n")
    conventions = 0
    for start, end in pairwise([*starts, len(lines) + 1]):
        rule = "\n".join(lines[start - 1 : end - 1])
        conventions += "*convention*" in rule
        if "*convention*" not in rule and "<!-- nexus:figure" not in rule:
            yield start, "the rule has no figure of its opposite; show one, or say *convention*."
    if conventions * 3 > len(starts):
        yield 1, f"{conventions} of {len(starts)} rules are conventions, a third is allowed."


def _shows(page: HubPage) -> Broken:
    if "<!-- nexus:" not in page.text and not [*page.sessions]:
        yield 1, "it shows no claim, no figure and no command; give it one, or delete it."


def main() -> int:
    """Print what `problems` finds; 1 if that is anything."""
    found = list(problems())
    sys.stdout.writelines(f"{each}\n" for each in found)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
