"""The knowledge hub, `docs/` and `resources/`: which pages it has, and what people wrote on them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nexus.catalog import EXAMPLES, ROOT
from nexus.writeup import CLOSE, FENCE, OPEN, SOURCE

FOLDERS = ("docs", "resources")
CONSOLE = re.compile(
    r"(?:^<!-- symptom: (?P<symptom>.+?) -->\n(?:<!-- undo: (?P<undo>.+?) -->\n)?\n?)?"
    r"(?P<fence>^```)console(?P<options>(?: \w+=\w+)*)\n(?P<lines>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^\$ ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s#]+)[^)\s]*\)")


@dataclass(frozen=True, slots=True)
class Session:
    """A console fence: commands with the lines that they print.

    Attributes:
        stack: where they run: on the `embedded` stack of an example, in its folder with `compose`, or in a
            small repository of their own, `git`; nothing if no test runs them.
        symptom: what makes them print that, and nothing else does: `paused redis`, or a command.
        undo: the command that ends it.
    """

    line: int
    example: str
    stack: str
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
            _, *commands = COMMAND.split(found["lines"].replace("\\\n", " "))
            yield Session(
                line=self.text.count("\n", 0, found.start("fence")) + 1,
                example=options.get("example", ""),
                stack=options.get("stack", "embedded" if "example" in options else ""),
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


def lessons(root: Path = ROOT) -> list[HubPage]:
    """The two write-ups of every example, by their path."""
    return [HubPage(path) for path in sorted(root.glob("examples/*/[A-Z]*.md"))]


def paths(root: Path = ROOT) -> list[str]:
    """Every page of the hub, relative to the repository; none where it speaks of other examples."""
    if EXAMPLES != ROOT / "examples":
        return []
    return [each.path.relative_to(root).as_posix() for each in pages(root)]


def written(path: Path, root: Path = ROOT) -> str:
    """Return what `pages` calls the page that `path` is; nothing if it is none."""
    inside = path.relative_to(root) if path.is_relative_to(root) else Path()
    is_page = inside.parts[:1] in [(name,) for name in FOLDERS] and path.suffix == ".md"
    return inside.as_posix() if is_page and path.is_file() else ""


def address(written: str, index: str = "") -> str:
    """Where the site shows a page, relative to its top; `index` ends the address of a folder's."""
    folder = written.removesuffix("README.md")
    return f"{folder}{index}" if folder != written else f"{written.removesuffix('.md')}.html"
