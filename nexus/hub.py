"""The knowledge hub, `docs/` and `resources/`: which pages it has, and the rules that they keep.

`python -m nexus.hub`, a step of `make lint`, prints a sentence for each rule that a page breaks.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from nexus.catalog import ROOT
from nexus.writeup import CLOSE, FENCE, OPEN, SOURCE

FOLDERS = ("docs", "resources")
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
CONSOLE = re.compile(
    r"(?:^<!-- symptom: (?P<symptom>.+?) -->\n(?:<!-- undo: (?P<undo>.+?) -->\n)?\n?)?"
    r"(?P<fence>^```)console(?P<options>(?: \w+=\w+)*)\n(?P<lines>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\(([^)\s#]+)[^)\s]*\)")


@dataclass(frozen=True, slots=True)
class Session:
    """A console fence: commands with the lines that they print, on the embedded stack of an example.

    Attributes:
        symptom: what makes them print that, and nothing else does: `paused redis`, or a command.
        undo: the command that ends it.
    """

    line: int
    example: str
    symptom: str
    undo: str
    commands: tuple[tuple[str, list[str]], ...]


@dataclass(frozen=True)
class HubPage:
    """One page of the hub."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def typed(self) -> list[tuple[int, str]]:
        """The lines that people wrote, each with its number: no blocks, no code that a fence names."""
        found: list[tuple[int, str]] = []
        ends = None
        for number, line in enumerate(self.text.split("\n"), 1):
            if ends:
                ends = None if ends.match(line) else ends
            elif OPEN.match(line):
                ends = CLOSE
            elif (fence := FENCE.match(line)) and SOURCE.match(fence["info"]):
                ends = re.compile(rf"^\s*{fence['fence']}\s*$")
            elif line.strip():
                found.append((number, line))
        return found

    @cached_property
    def prose(self) -> list[tuple[int, str]]:
        """What was typed, without code, addresses and what blocks fill in."""
        found, fence = [], ""
        for number, line in self.typed:
            mark = FENCE.match(line)
            if mark and (not fence or line.strip() == fence):
                fence = "" if fence else mark["fence"]
            elif not fence:
                told = re.sub(r"<!-- nexus:.*?<!-- /nexus -->|<!--.*?-->|`[^`]+`", "", line)
                found.append((number, re.sub(r"\]\([^)]*\)|https?://\S+", "", told)))
        return found

    @property
    def sessions(self) -> Iterator["Session"]:
        """What a reader copies into a shell: each console fence."""
        for found in CONSOLE.finditer(self.text):
            options = dict(word.split("=", 1) for word in found["options"].split())
            commands = re.split(r"^\$ ", found["lines"].replace("\\\n", " "), flags=re.MULTILINE)[
                1:
            ]
            yield Session(
                line=self.text.count("\n", 0, found.start("fence")) + 1,
                example=options.get("example", ""),
                symptom=found["symptom"] or "",
                undo=found["undo"] or "",
                commands=tuple((first, rest) for first, *rest in map(str.splitlines, commands)),
            )

    @property
    def links(self) -> set[Path]:
        return {(self.path.parent / target).resolve() for target in LINK.findall(self.text)}


def pages(root: Path = ROOT) -> list[HubPage]:
    """Every page of the hub, by its path."""
    return [HubPage(path) for name in FOLDERS for path in sorted(root.glob(f"{name}/**/*.md"))]


def paths(root: Path = ROOT) -> list[str]:
    """Every page of the hub, relative to the repository."""
    return [each.path.relative_to(root).as_posix() for each in pages(root)]


def address(written: str, index: str = "") -> str:
    """Where the site shows a page, relative to its top; `index` ends the address of a folder's."""
    folder = written.removesuffix("README.md")
    return f"{folder}{index}" if folder != written else f"{written.removesuffix('.md')}.html"


def problems(root: Path = ROOT) -> Iterator[str]:
    """Yield file, line and a sentence for each rule that is broken."""
    found = pages(root)
    doors = [
        HubPage(root / "README.md"),
        *(each for each in found if each.path.name == "README.md"),
    ]
    linked = set[Path]().union(*(each.links for each in doors))
    terms: dict[str, str] = {}
    for page in found:
        name = page.path.relative_to(root).as_posix()
        for line, sentence in _of_one(page):
            yield f"{name}:{line}: {sentence}"
        for line, text in page.typed:
            term = TERM.match(text)
            if (
                term
                and (other := terms.setdefault(term[1].lower(), f"{name}:{line}"))
                != f"{name}:{line}"
            ):
                yield f"{name}:{line}: {term[1]!r} is defined in {other}, too; link to it instead."
        if page.path.resolve() not in linked:
            yield f"{name}:1: no README.md of the hub leads here; put it into a folder with an `index` block."
    if (count := sum(len(each.typed) for each in found)) > MOST_ALTOGETHER:
        yield f"docs:1: {count:,} typed lines, the budget is {MOST_ALTOGETHER:,}; name the page that goes."


def _of_one(page: HubPage) -> Iterator[tuple[int, str]]:
    if len(page.typed) > MOST_LINES:
        yield (
            page.typed[MOST_LINES][0],
            f"{len(page.typed)} typed lines, {MOST_LINES} are allowed; split the page.",
        )
    for line, text in page.prose:
        if number := re.search(r"\d[\d,.]*", ALLOWED.sub("", text)):
            yield (
                line,
                (
                    f"{number[0].rstrip('.,')!r} is typed; take it from a run or the source with "
                    "`figure`, `measured`, `param` or `setting`, or write it as code."
                ),
            )
    for session in page.sessions:
        for command, _ in session.commands:
            if not session.example and command.split()[0] not in RUN_ELSEWHERE:
                yield (
                    session.line,
                    f"no test runs `{command}`; say on which stack: ```console example=NAME.",
                )
        if "troubleshooting" in page.path.parts and not session.symptom:
            yield (
                session.line,
                "nothing makes this symptom; say what does: <!-- symptom: paused redis -->.",
            )
    if "best-practices" in page.path.parts:
        yield from _rules(page)
    shows = [*page.sessions] or "<!-- nexus:" in page.text
    if not shows:
        yield 1, "it shows no claim, no figure and no command; give it one, or delete it."


def _rules(page: HubPage) -> Iterator[tuple[int, str]]:
    """A rule shows what happens otherwise; at most a third of a page's are conventions."""
    starts = [number for number, line in page.typed if line.startswith("- ")]
    lines = page.text.split("\n")
    conventions = 0
    for start, end in pairwise([*starts, len(lines) + 1]):
        rule = "\n".join(lines[start - 1 : end - 1])
        conventions += "*convention*" in rule
        if "*convention*" not in rule and "<!-- nexus:figure" not in rule:
            yield (
                start,
                "the rule has no figure of its opposite; show one, or call it a *convention*.",
            )
    if conventions * 3 > len(starts):
        yield 1, f"{conventions} of {len(starts)} rules are conventions, a third is allowed."


def main() -> int:
    """Print what `problems` finds; 1 if that is anything."""
    found = list(problems())
    sys.stdout.writelines(f"{each}\n" for each in found)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
