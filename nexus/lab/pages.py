"""What each page shows, read anew from write-up, source and record whenever it is asked for."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from nexus import catalog, charts, excerpts, hub, notes, results
from nexus.catalog import Example
from nexus.experiment import Experiment, Parameter
from nexus.lab import diagrams, markdown, source
from nexus.lab.markdown import Part, Reference
from nexus.lab.source import Folder, SourceFile
from nexus.results import Record, Recording, Run
from nexus.stacks.offered import unprovable

# Where the claims go that no paragraph names.
LAST_RESORT = "proof"
# What the lab draws itself, from the same source as the block.
REDRAWN = {"chart", "growth", "tree"}
# Tables of prose, as are those typed without numbers: on a phone their cells stand below each other.
STACKED = {"claims", "reports"}
WORDS_A_MINUTE = 200
LESSON, OPERATING = "README.md", "OPERATING.md"
# What one looks up when one needs it.
SOURCES = "sources"
# Below this, a listing is read in passing; a longer one is folded.
SHORT_LINES = 14
# Tables in which one looks things up, by the block they are in, and what each says of its rows.
FOLDED = {
    "bench": "The solution beside its peers, {} rows, and the goals",
    "reports": "{} public bug reports, and what happens here",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A recorded figure as a bar: lengths are hundredths of the widest."""

    run: Run
    length: float
    bound: float


@dataclass(frozen=True, slots=True)
class Headline:
    """The figure that stands for an example: the naive way and the solution against one bound."""

    claim: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """An example on the home page."""

    name: str
    title: str
    claim: str
    headline: Headline | None
    claims: int
    minutes: int  # to read


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of a claim: what is declared, and what was recorded."""

    name: str
    expected: bool
    run: Run | None


@dataclass(frozen=True, slots=True)
class Panel:
    """One claim in the flow of a page, with its verdicts and what it takes to run it.

    Attributes:
        elsewhere: why the lab's stacks cannot run it; empty if they can.
    """

    slug: str
    claim: str
    variants: tuple[Variant, ...]
    chart: str
    parameters: tuple[Parameter, ...]
    recording: Recording | None
    experiment: Reference
    elsewhere: str
    axis: str

    @property
    def exchanges(self) -> int:
        """How many requests and answers were recorded."""
        return sum(len(each.run.exchanges) for each in self.variants if each.run)


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a page; `template` shows it."""

    template: str
    part: Part | None = None
    html: str = ""
    panel: Panel | None = None
    caption: str = ""
    folder: Folder | None = None
    page: "Page | None" = None  # of a panel on a page of the hub: the lesson that it is from


@dataclass(frozen=True)
class Page:
    """One of the two pages of an example: the lesson with its claims, or how to operate it.

    Attributes:
        index: what the address of a page ends with: nothing live, `index.html` exported.
        written: the file that it shows.
    """

    example: Example
    record: Record
    files: Mapping[str, SourceFile]
    index: str = ""
    written: str = LESSON

    @property
    def name(self) -> str:
        return self.example.name

    @property
    def is_lesson(self) -> bool:
        return self.written == LESSON

    @cached_property
    def operating(self) -> "Page | None":
        """The other page of the example, if it has one."""
        return replace(self, written=OPERATING) if OPERATING in self.files else None

    @cached_property
    def document(self) -> markdown.Document:
        return markdown.parse(self.files[self.written].text, _Links(self))

    @cached_property
    def tree(self) -> Folder:
        return source.tree(dict(self.files))

    @property
    def embedded(self) -> list[SourceFile]:
        """What the code pane shows at once; how to operate an example carries what it speaks of."""
        every = [file for file in self.files.values() if file.is_embedded]
        spoken = {each.path for each in self.document.references}
        carried = [file for file in every if self.is_lesson or file.path in spoken]
        return carried or every

    @property
    def first(self) -> Reference | None:
        """What the code pane shows before anything is chosen."""
        whole = (part.reference for part in self.document.parts if part.reference)
        some = (Reference(file.path) for file in self.embedded)
        return next(whole, next(iter(self.document.references), next(some, None)))

    @property
    def contents(self) -> list[Part]:
        return [part for part in self.document.parts if part.kind == "heading" and part.level == 2]

    @cached_property
    def blocks(self) -> list[Block]:
        """The whole page in reading order: each claim's panel follows the first block that names it."""
        shown: list[Block] = []
        placed: set[str] = set()
        at_last = None
        section = ""
        for part in self.document.parts:
            if part.kind == "heading" and part.level <= 2:
                if section == LAST_RESORT:
                    at_last = len(shown)
                section = part.anchor
            for block in self._shown(part, len(shown)):
                if section == SOURCES and block.html.startswith("<ul"):
                    block = replace(block, template="folded", caption="What this page stands on")
                if shown and _goes_on(shown[-1], block):
                    shown[-1] = replace(shown[-1], html=shown[-1].html + block.html)
                else:
                    shown.append(block)
            for slug in part.claims if self.is_lesson else ():
                if slug not in placed:
                    placed.add(slug)
                    shown.append(Block("panel", panel=self.panel(slug)))
        if not self.is_lesson:
            return shown
        left = [slug for slug in self.example.experiments if slug not in placed]
        at_last = len(shown) if at_last is None or section == LAST_RESORT else at_last
        shown[at_last:at_last] = [Block("panel", panel=self.panel(slug)) for slug in left]
        return shown

    def panel(self, slug: str) -> Panel:
        """Return what is claimed under `slug`, and what was recorded of it."""
        experiment = self.example.experiment(slug)
        stack = self.record.stack(slug)
        runs = {run.variant: run for run in self.record.runs(stack, slug)}
        recordings = [
            each
            for each in self.record.recordings
            if each.stack == stack and any(run.claim == slug for run in each.runs)
        ]
        return Panel(
            slug=slug,
            claim=experiment.claim,
            variants=tuple(
                Variant(name, experiment.expected(name), runs.get(name))
                for name in experiment.variants()
            ),
            chart=_chart(
                experiment, [runs[name] for name in experiment.variants() if name in runs]
            ),
            parameters=experiment.parameters,
            recording=recordings[-1] if recordings else None,
            experiment=self._experiment(experiment),
            elsewhere=unprovable(experiment, "embedded"),
            axis=experiment.chart.y,
        )

    def anchors(self, path: str) -> list[tuple[int, int]]:
        """Return the ranges of lines of a file that the write-up points at."""
        pointed = [*self.document.references]
        pointed += self.operating.document.references if self.operating else ()
        if path.startswith("experiments/"):
            pointed += map(self._experiment, self.example.experiments.values())
        found = (each for each in pointed if each.path == path and each.first)
        return [(each.first, each.last) for each in found]

    def _experiment(self, experiment: type[Experiment]) -> Reference:
        name = experiment.__name__
        file = self.files[f"experiments/{experiment.slug.replace('-', '_')}.py"]
        return Reference(file.path, name, *excerpts.span(file.text, file.name, name))

    def _shown(self, part: Part, number: int) -> list[Block]:
        if part.kind == "block":
            if part.block == "chart":
                return self._picture(part.args)
            if part.block == "growth":
                return self._growth(part.args)
            if part.block == "tree":
                return [Block("tree", folder=self.tree)]
            return []
        if part.block in REDRAWN:
            return []
        if part.kind == "diagram":
            # The line before a diagram says what it shows; Mermaid's own accTitle may, too.
            titled = re.search(r"^\s*accTitle:\s*(.+)$", part.text, re.MULTILINE)
            title = titled[1] if titled else "Diagram"
            drawn = diagrams.svg(part.text, f"diagram-{number}", title)
            return [Block("diagram", part, html=drawn or "")]
        if part.kind == "code":
            lines = part.text.count("\n")
            folded = f"{lines} lines" if lines > SHORT_LINES and not part.reference else ""
            return [Block("code", part, html=part.html, caption=folded)]
        html = part.html
        if part.block in STACKED:
            table = f'class="table is-stacked is-{part.block}"'
            html = html.replace('class="table"', table, 1)
        elif not part.block and 'class="number"' not in html:
            html = html.replace('class="table"', 'class="table is-stacked is-labelled"')
        if part.block == "claims" and "<table" in html:
            # Each claim has its panel; this is the overview.
            return [Block("folded", part, html=html, caption="All claims in one table")]
        if part.block in FOLDED and (rows := html.count("<tr") - 1) > 0:
            return [Block("folded", part, html=html, caption=FOLDED[part.block].format(rows))]
        return [Block("prose", part, html=html)]

    def _picture(self, args: str) -> list[Block]:
        slug, variants = _chart_words(args)
        if slug not in self.example.experiments:
            return []
        found = {run.variant: run for run in self.record.runs(self.record.stack(slug), slug)}
        runs = [found[name] for name in variants or found if name in found]
        drawn = _chart(self.example.experiment(slug), runs)
        return [Block("picture", html=drawn, caption=slug)] if drawn else []

    def _growth(self, args: str) -> list[Block]:
        if not self.record.bench:
            return []
        bench = self.record.bench
        drawn = _drawn(json.dumps(charts.growth(bench.columns, bench.rows, args.split())))
        return [Block("prose", html=f'<figure class="picture">{drawn}</figure>')]


@dataclass(frozen=True)
class _Links:
    page: Page
    names: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path, file in self.page.files.items():
            self.names.setdefault(file.name, []).append(path)

    def reference(self, code: str) -> Reference | None:
        path, _, symbol = code.partition("::")
        if path not in self.page.files:
            # A name alone will do where one file bears it.
            bearers = self.names.get(path, [])
            if len(bearers) != 1:
                return None
            path = bearers[0]
        if not symbol:
            return Reference(path)
        file = self.page.files[path]
        try:
            return Reference(path, symbol, *excerpts.span(file.text, file.name, symbol))
        except ValueError as error:
            raise ValueError(f"{self.page.name}/{self.page.written}: {error}") from error

    def claim(self, code: str) -> str | None:
        if code not in self.page.example.experiments:
            return None
        return f"{'' if self.page.is_lesson else self._lesson}#claim-{code}"

    @property
    def _lesson(self) -> str:
        return self.page.index or "./"

    def href(self, target: str) -> str | None:
        path, _, fragment = target.partition("#")
        folder = self.page.example.path.resolve()
        found = (folder / path).resolve()
        pages = {folder / LESSON: self._lesson, folder / OPERATING: "operating.html"}
        if found in pages and found.name in self.page.files:
            return pages[found] + (f"#{fragment}" if fragment else "")
        if found.is_relative_to(folder):
            inside = found.relative_to(folder).as_posix()
            return f"files/{inside}.html" if inside in self.page.files else None
        if written := hub.written(found):
            anchor = f"#{fragment}" if fragment else ""
            return f"../{hub.address(written, self.page.index)}{anchor}"
        for other in catalog.examples():
            if found in (other.path.resolve(), other.path.resolve() / "README.md"):
                return f"../{other.name}/{self.page.index}" + (f"#{fragment}" if fragment else "")
        return None


def home() -> list[Card]:
    """Return a card for every example, in the order in which one learns."""
    return [_card(each) for each in sorted(catalog.examples(), key=lambda each: each.order)]


def page(name: str, index: str = "") -> Page:
    """Return the page of the example `name`.

    Raises:
        UnknownName: there is none; the message names those that are.
        ValueError: its write-up names a part of the source that does not exist.
    """
    example = catalog.example(name)
    found = Example(example.path)  # read again: what it keeps belongs to one page
    return Page(found, _record(found), source.files(found.path), index)


def _card(example: Example) -> Card:
    title, claim, args = markdown.opening(example.readme)
    return Card(
        example.name,
        title or example.name,
        claim,
        _headline(_record(example), args),
        len(example.experiments),
        round(notes.words(example.readme) / WORDS_A_MINUTE),
    )


def _record(example: Example) -> Record:
    return results.recorded(catalog.ROOT, example.name)


def _headline(record: Record, args: str) -> Headline | None:
    slug, variants = _chart_words(args)
    runs = [
        run
        for run in record.runs(record.stack(slug), slug)
        if not variants or run.variant in variants
    ]
    # Declared from the trivial to what is commonly installed, and from there to the solution.
    last = {run.holds: run for run in runs}
    shown = [last[holds] for holds in (False, True) if holds in last]
    widest = max((max(run.measured, run.bound) for run in shown), default=0) or 1
    bars = [Bar(run, 100 * run.measured / widest, 100 * run.bound / widest) for run in shown]
    return Headline(slug, tuple(bars)) if bars else None


def _goes_on(before: Block, block: Block) -> bool:
    """Whether `block` is what is said below a folded table: when it was recorded, and the goals."""
    if before.template != "folded" or not before.part or not block.part:
        return False
    return bool(block.part.block) and block.part.block == before.part.block


def _chart_words(args: str) -> tuple[str, list[str]]:
    words = [word for word in args.split() if "=" not in word]
    return (words[0], words[1:]) if words else ("", [])


def _chart(experiment: type[Experiment], runs: Sequence[Run]) -> str:
    lines = [run.line(experiment.chart) for run in runs]
    if not any(line.points for line in lines):
        return ""
    return _drawn(json.dumps(charts.spec(experiment.chart, lines)))


@lru_cache(maxsize=256)
def _drawn(spec: str) -> str:
    read: Mapping[str, Any] = json.loads(spec)
    return charts.svg(read)
