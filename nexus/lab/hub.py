"""The pages of `docs/` and `resources/` as the lab shows them: prose, claims with their panels, code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nexus import catalog, excerpts, hub
from nexus.catalog import Example
from nexus.lab import diagrams, markdown, pages
from nexus.lab.markdown import Reference
from nexus.lab.pages import Block

MAP = "docs/README.md"
WISHES = "I want to…"


@dataclass(frozen=True)
class HubPage:
    """One page of the hub.

    Attributes:
        written: its file, relative to the repository.
        index: what the address of a page ends with: nothing live, `index.html` exported.
        top: what leads from the page to the top of the site; None for where it stands.
    """

    written: str
    index: str = ""
    top: str | None = None

    @property
    def address(self) -> str:
        """Where it is, relative to the top of the site."""
        return hub.address(self.written, self.index)

    @property
    def base(self) -> str:
        return "../" * self.written.count("/") if self.top is None else self.top

    @property
    def part(self) -> str:
        """`docs` or `resources`."""
        return self.written.partition("/")[0]

    @property
    def folder(self) -> str:
        """The name of its folder as a title: `Best practices`."""
        return self.written.split("/")[-2].replace("-", " ").capitalize()

    @cached_property
    def document(self) -> markdown.Document:
        path = catalog.ROOT / self.written
        try:
            return markdown.parse(path.read_text(encoding="utf-8"), _Links(self))
        except ValueError as error:
            raise ValueError(f"{self.written}: {error}") from error

    @property
    def question(self) -> str:
        """What a concept answers: the question with which its prose begins."""
        prose = next((part.text for part in self.document.parts if part.kind == "prose"), "")
        asked = re.match(r"[^.?]*\?", prose) if "/concepts/" in self.written else None
        return asked[0] if asked else ""

    @cached_property
    def blocks(self) -> list[Block]:
        """The page in reading order; a claim is the panel of its lesson."""
        return list(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        for number, part in enumerate(self.document.parts):
            if part.kind == "block" and part.block == "claim":
                slug, _, example = part.args.partition(" example=")
                page = pages.page(example, self.index)
                yield Block("panel", panel=page.panel(slug), page=page)
            elif part.kind == "diagram":
                drawn = diagrams.svg(part.text, f"diagram-{number}", "Diagram")
                yield Block("diagram", part, html=drawn or "")
            elif part.kind == "code":
                yield Block("code", part, html=part.html)
            elif part.kind != "block" and part.block != "claim":
                yield Block("prose", part, html=part.html)


def wishes(index: str = "") -> str:
    """The list below "I want to…" as HTML, with links from the top of the site."""
    if MAP not in hub.paths():
        return ""
    section = ""
    for part in HubPage(MAP, index, top="").document.parts:
        if part.kind == "heading":
            section = part.text
        elif section == WISHES and part.html.startswith("<ul"):
            return part.html
    return ""


@dataclass(frozen=True)
class _Links:
    page: HubPage

    @cached_property
    def examples(self) -> list[Example]:
        return catalog.examples()

    def reference(self, code: str) -> Reference | None:
        file, _, symbol = code.partition("::")
        found = self._found(file)
        example = self._example(found)
        if "/" not in file or example is None or not found.is_file():
            return None
        path = found.relative_to(example.path).as_posix()
        base = f"{self.page.base}{example.name}/"
        if not symbol:
            return Reference(path, base=base)
        text = found.read_text(encoding="utf-8")
        return Reference(path, symbol, *excerpts.span(text, found.name, symbol), base=base)

    def claim(self, code: str) -> str | None:
        if not re.fullmatch(r"[a-z]+(-[a-z]+)+", code):
            return None
        bearers = [each.name for each in self.examples if code in each.experiments]
        page = self.page
        return f"{page.base}{bearers[0]}/{page.index}#claim-{code}" if len(bearers) == 1 else None

    def href(self, target: str) -> str | None:
        file, _, fragment = target.partition("#")
        found = self._found(file)
        anchor = f"#{fragment}" if fragment else ""
        if written := hub.written(found):
            return (self.page.base + hub.address(written, self.page.index) or "./") + anchor
        if (example := self._example(found)) is None:
            return None
        inside = found.relative_to(example.path).as_posix()
        lesson = {"README.md": self.page.index, ".": self.page.index}
        shown = {**lesson, "OPERATING.md": "operating.html"}.get(inside, f"files/{inside}.html")
        return f"{self.page.base}{example.name}/{shown}{anchor}"

    def _found(self, file: str) -> Path:
        return (catalog.ROOT / self.page.written).parent.joinpath(file).resolve()

    def _example(self, path: Path) -> Example | None:
        return next((each for each in self.examples if path.is_relative_to(each.path)), None)
