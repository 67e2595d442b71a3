"""The rules that every page of the hub keeps, and the one about numbers, which lessons keep, too.

`make lint` prints a sentence for each that is broken.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from nexus.catalog import ROOT
from nexus.hub import COMMAND, HubPage, lessons, pages

MOST_LINES, MOST_ALTOGETHER = 80, 2_200  # that were typed
VERSIONED = (
    "Caddy|Celery|Debian|Django|HTTP/|MariaDB|OAuth|OpenAPI|PgBouncer|PostgreSQL|Python|RabbitMQ|Redis|Safari"
    "|UUIDv|Valkey|Varnish"
)
# Numbers that no run measures and no source states: they are part of a name.
ALLOWED = re.compile(
    r"^\s*\d+\.\s|\b\d{4}-\d\d-\d\d|\b(?:19|20)\d\d\b|\b\d\d:\d\d(?::\d\d)?\b|\b[Ww]eeks? \d+"
    r"|\b(?:RFC|HTTP|SQLSTATE|ITU-T|[Pp]orts?|[Ss]ections?) (?:I\.)?\d[\d.]*|\bdraft-[a-z-]+\d+"
    r"|#\d+\b|\b[1-5]xx\b|\bmode \d{3,4}\b|\bexit status \d\b"
    r"|\bIPv[46]\b|/\d+s?\b|\bNAT64\b|\b\d+[- ]bits?\b|\d+[⁰¹²³⁴-⁹]+|\bN\+1\b|\b1 \+ N\b"
    rf"|\b(?:{VERSIONED})\s?\d[\d.]*"
)
# Sections and paragraphs whose numbers are the author's by nature.
SOURCES, WALKED, BY_HAND = (
    "Sources",
    "The problem",
    re.compile(r"(?:- )?(?:Seen|Measured) by hand\b"),
)
STACKS = ("", "embedded", "compose", "git")  # where the commands of a fence are run
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
        for session in page.sessions:
            if session.example and not (root / "examples" / session.example).is_dir():
                yield f"{name}:{session.line}: there is no example {session.example!r} to run this."
        for line, text in page.typed:
            if term := TERM.match(text):
                place = f"{name}:{line}"
                first = terms.setdefault(term[1].lower(), place)
                if first != place:
                    yield f"{place}: {term[1]!r} is defined in {first}, too; link to it instead."
        if page.path.resolve() not in linked:
            listed = "`make sync` lists it if its folder has an `index` block; else give it one"
            yield f"{name}:1: no README.md of the hub leads here; {listed}."
    yield from _lessons_type_no_number(root)
    if (count := sum(len(each.typed) for each in found)) > MOST_ALTOGETHER:
        yield f"docs:1: {count:,} typed lines, {MOST_ALTOGETHER:,} are allowed; say which page goes."


def _is_short(page: HubPage) -> Broken:
    if len(page.typed) > MOST_LINES:
        line, _ = page.typed[MOST_LINES]
        yield line, f"{len(page.typed)} typed lines, {MOST_LINES} are allowed; split the page."


def _types_no_number(page: HubPage) -> Broken:
    return _typed(page.prose, "or write it as code")


def _lessons_type_no_number(root: Path) -> Iterator[str]:
    for page in lessons(root):
        name = page.path.relative_to(root).as_posix()
        typed = _typed(_stated(page), 'or begin its paragraph with "Measured by hand"')
        yield from (f"{name}:{line}: {sentence}" for line, sentence in typed)


def _typed(prose: Iterable[tuple[int, str]], otherwise: str) -> Broken:
    fill = f"fill it in with `figure`, `measured`, `param` or `setting`, {otherwise}"
    for line, text in prose:
        if number := re.search(r"\d(?:[\d,.]*\d)?", ALLOWED.sub("", text)):
            yield line, f"{number[0]!r} is typed; {fill}."


def _stated(page: HubPage) -> Broken:
    """The prose of a lesson, without its sources, the table it walks through, and what was seen by hand."""
    section, seen = "", set(_seen_by_hand(page))
    for line, text in page.prose:
        if text.startswith("#"):
            section = text.strip("# ")
        walked = section == WALKED and text.startswith("|")
        if section != SOURCES and not walked and line not in seen:
            yield line, text


def _seen_by_hand(page: HubPage) -> Iterator[int]:
    """The lines of paragraphs that say so, and of the list or table below one that ends with a colon."""
    goes_on = False
    for block in re.finditer(r"(?:^.+$\n?)+", page.text, re.MULTILINE):
        goes_on = goes_on or BY_HAND.match(block[0]) is not None
        if goes_on:
            first = page.text.count("\n", 0, block.start()) + 1
            yield from range(first, first + block[0].count("\n") + 1)
        goes_on = goes_on and block[0].rstrip().endswith(":")


def _commands_are_run(page: HubPage) -> Broken:
    sessions = [*page.sessions]
    for session in sessions:
        for command, _ in session.commands:
            if not session.stack and command.split()[0] not in RUN_ELSEWHERE:
                yield session.line, f"no test runs `{command}`; say where: ```console example=NAME."
        if session.stack not in STACKS:
            known = ", ".join(filter(None, STACKS))
            yield session.line, f"no test knows stack={session.stack}; it knows {known}."
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
