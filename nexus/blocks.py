"""The generated parts of write-ups: tables, charts and figures of results, trees, commands."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from html import escape
from pathlib import Path
from typing import Any

from nexus import charts, excerpts, results
from nexus.catalog import Example
from nexus.charts import THEMES
from nexus.experiment import Chart, Experiment
from nexus.mine import is_written
from nexus.reports import reports as reported
from nexus.results import Bench, Record, Recording, Run

LEFT_OUT = (
    ".*",
    "__pycache__",
    "node_modules",
    "site",
    "staticfiles",
    "htmlcov",
    "*.egg-info",
    "*.pyc",
    "*.sqlite3",
    "*.log",
)
# What files of a fixed name are for, where they cannot say it themselves.
ROLES = {
    "README.md": "the write-up",
    "OPERATING.md": "in production: settings, sizing, what to watch, faults",
    "compose.yml": "the services it needs, and its processes as containers",
    "Dockerfile": "the image of its processes",
    "Procfile": "its processes: release, web, worker",
    "requirements.in": "what it needs",
    "requirements.txt": "the same, locked with hashes",
    "requirements-dev.in": "what its tests need on top",
    "requirements-dev.txt": "the same, locked with hashes",
    "requirements-package.in": "what a reader's own variant may try",
    "requirements-package.txt": "the same, locked with hashes",
    "pyproject.toml": "settings of its tests",
    "manage.py": "Django's command line",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A repository as its write-ups see it.

    Attributes:
        texts: files as they will be once written.
        pictures: likewise, those that the pages show.
    """

    root: Path
    texts: dict[Path, str] = field(default_factory=dict)
    pictures: dict[Path, str] = field(default_factory=dict)

    def read(self, path: Path) -> str:
        """Return the text of `path`, byte for byte but decoded.

        Raises:
            ValueError: there is no such file in the repository.
        """
        if path not in self.texts:
            name = self.name(path)
            if not path.is_file():
                raise ValueError(f"there is no file {name}")
            self.texts[path] = path.read_bytes().decode()
        return self.texts[path]

    def name(self, path: Path) -> Path:
        """Return `path` relative to the repository.

        Raises:
            ValueError: it is outside.
        """
        if not path.is_relative_to(self.root):
            raise ValueError(f"{path.name} is outside the repository")
        return path.relative_to(self.root)

    def record(self, example: str) -> Record:
        """Return what is recorded of `example`: an empty record if nothing is."""
        return results.recorded(self.root, example)

    def experiment(self, example: str, claim: str) -> type[Experiment]:
        """Return the experiment of `claim` as `example` declares it.

        Raises:
            ValueError: it declares no such claim.
        """
        folder = self.root / "examples" / example
        if not folder.is_dir():
            known = ", ".join(
                sorted(each.parent.name for each in folder.parent.glob("*/README.md"))
            )
            raise ValueError(f"there is no example {example!r}; the examples are: {known}")
        try:
            return Example(folder).experiment(claim)
        except (ImportError, OSError, LookupError) as error:
            raise ValueError(f"{claim} has no experiment: {str(error).rstrip('.')}") from error

    def show(self, path: Path, picture: str) -> None:
        """Note that a page shows `picture` from the file `path`.

        Raises:
            ValueError: another shows another there.
        """
        if self.pictures.setdefault(path, picture) != picture:
            raise ValueError(f"{path.name} is drawn twice: chart a claim with the same variants")


@dataclass(frozen=True, slots=True)
class Page:
    """One file whose blocks are filled."""

    site: Site
    path: Path

    def source(self, file: str, symbol: str) -> str:
        """Return a part of a file named relative to this page's folder."""
        path = (self.path.parent / file).resolve()
        return excerpts.excerpt(self.site.read(path), file, symbol)

    def service(self, file: str, key: str) -> str:
        """Return a service of a compose file named relative to the repository."""
        return excerpts.service(self.site.read(self.site.root / file), file, key)

    def block(self, name: str, args: str) -> str:
        """Return the content of the generated block `name`.

        Raises:
            ValueError: there is no such block, or its arguments name nothing.
        """
        if name not in BLOCKS:
            raise ValueError(f"there is no block {name!r}; the blocks are: {', '.join(BLOCKS)}")
        words = args.split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        if unknown := sorted(options.keys() - {"example", "stack"}):
            raise ValueError(f"{name} has no option {unknown[0]!r}; it has: example, stack")
        return BLOCKS[name](Ask(self, name, [w for w in words if "=" not in w], options))

    def link(self, path: Path) -> str:
        """Return how this page links to a file."""
        return path.relative_to(self.path.parent, walk_up=True).as_posix()


@dataclass(frozen=True, slots=True)
class Ask:
    """The arguments of a block, resolved against the page it is on."""

    page: Page
    block: str
    words: Sequence[str]
    options: Mapping[str, str]

    @property
    def example(self) -> str:
        """The example named by `example=`, else the one whose folder the page is in."""
        if "example" in self.options:
            return self.options["example"]
        match self.page.site.name(self.page.path).parts:
            case ["examples", name, _, *_]:
                return name
        raise ValueError(f"{self.block} needs example=NAME outside of an example's folder")

    @property
    def record(self) -> Record:
        return self.page.site.record(self.example)

    @property
    def folder(self) -> Path:
        """The folder of the example named by `example=`, else the one that the page is in."""
        if "example" in self.options:
            return self.page.site.root / "examples" / self.example
        return self.page.path.parent

    @property
    def stack(self) -> str:
        """The stack named by `stack=`, else the first on which the claim is recorded: embedded if it is."""
        record = self.record
        recorded = (*record.stacks(*self.words[:1]), *record.stacks(), "embedded")
        return self.options.get("stack", recorded[0])

    @property
    def unrecorded(self) -> str:
        stack = "" if self.stack == "embedded" else f" STACK={self.stack}"
        return f"*Not recorded yet: `make prove EXAMPLE={self.example}{stack} RECORD=1`.*"

    def count(self, least: int, most: int | None, form: str) -> None:
        """Check the number of words.

        Raises:
            ValueError: it is another; the message shows `form`.
        """
        if len(self.words) < least or (most is not None and len(self.words) > most):
            raise ValueError(f"{self.block} is written {form}")

    def runs(self) -> tuple[Run, ...]:
        """Return the runs of the claim and variants that the words name; none without a record.

        Raises:
            ValueError: something is recorded, but not that.
        """
        claim, *variants = self.words
        record = self.record
        if not record.recordings:
            return ()
        found = record.runs(self.stack, claim)
        if not found:
            known = ", ".join(dict.fromkeys(run.claim for run in record.runs(self.stack)))
            raise ValueError(f"claim {claim!r} is not recorded on {self.stack}; recorded: {known}")
        by_variant = {run.variant: run for run in found}
        for variant in variants:
            if variant not in by_variant:
                known = ", ".join(by_variant)
                raise ValueError(f"{claim} is not recorded for {variant!r}; recorded: {known}")
        return tuple(by_variant[variant] for variant in variants) if variants else found


def claims(ask: Ask) -> str:
    """`claims [stack=]`: every claim with the variants that it holds for and those it refutes."""
    ask.count(0, 0, "`claims [stack=STACK]`")
    record, stack = ask.record, ask.stack
    if not record.runs(stack):
        return ask.unrecorded
    rows = []
    # A claim about a service that the embedded stack lacks is recorded on the other one.
    shown = {
        slug: stack if "stack" in ask.options else record.stack(slug) for slug in record.claims
    }
    for slug, sentence in record.claims.items():
        runs = record.runs(shown[slug], slug)
        refuted, holds = ([run for run in runs if run.holds is each] for each in (False, True))
        cells = (_figures(refuted), _figures(holds)) if runs else ("not recorded yet", "")
        rows.append((f"`{slug}`<br>{sentence}", *cells))
    return _table(("claim", "refuted", "holds"), rows) + "\n\n" + _origin(record, shown)


def chart(ask: Ask) -> str:
    """`chart CLAIM [VARIANT...] [stack=]`: what was seen, a line per variant, and the bound."""
    ask.count(1, None, "`chart CLAIM [VARIANT ...] [stack=STACK]`")
    runs = ask.runs()
    if not runs:
        return ask.unrecorded
    claim = ask.words[0]
    declared = ask.page.site.experiment(ask.example, claim).chart
    lines = [run.line(declared) for run in runs]
    if not any(line.points for line in lines):
        return ask.unrecorded
    spec = charts.spec(declared, lines)
    where = "" if ask.stack == "embedded" else f"-{ask.stack}"
    axes = f"{_capital(declared.y)}, by {declared.x}."
    bound = "" if declared.levels else f" Dotted: the bound of `{claim}`."
    picture = _picture(ask, f"{claim}{where}", spec, _in_words(declared, runs))
    return f"{picture}\n\n{axes}{bound}"


def _picture(ask: Ask, name: str, spec: Mapping[str, Any], words: str) -> str:
    """Have the page show a picture for each theme, with its alternative text."""
    page, links = ask.page, {}
    for theme in THEMES:
        path = page.site.root / "results" / ask.example / f"{name}-{theme}.svg"
        page.site.show(path, charts.picture(spec, theme))
        links[theme] = page.link(path)
    return "\n".join(
        [
            "<picture>",
            f'<source media="(prefers-color-scheme: dark)" srcset="{links["dark"]}">',
            f'<img src="{links["light"]}" alt="{words}">',
            "</picture>",
        ]
    )


def _in_words(declared: Chart, runs: Sequence[Run]) -> str:
    said = [f"{run.variant}: {run.figure}, {'holds' if run.holds else 'refuted'}." for run in runs]
    return escape(" ".join([f"{_capital(declared.y)}.", *said]))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def figure(ask: Ask) -> str:
    """`figure CLAIM VARIANT [stack=]`: the judged figure, inline."""
    return _one(ask, lambda run: run.figure)


def measured(ask: Ask) -> str:
    """`measured CLAIM VARIANT [stack=]`: the measured number alone, inline."""
    return _one(ask, lambda run: _number(run.measured))


def bench(ask: Ask) -> str:
    """`bench [stack=]`: the solution beside its peers, and whether that run met its goals."""
    ask.count(0, 0, "`bench [stack=STACK]`")
    compose = ask.options.get("stack") == "compose"
    found = ask.record.bench_compose if compose else ask.record.bench
    if found is None:
        return _unmeasured(ask, " STACK=compose" if compose else "")
    rows = [[_cell(cell) for cell in row] for row in found.rows]
    numeric = [all(not isinstance(row[n], str) for row in found.rows) for n in range(len(rows[0]))]
    goals = [f"- {'met' if each.met else '**missed**'}: {each.text}" for each in found.goals]
    listed = "\n".join(["Goals of this run:", "", *goals, "", ""]) if goals else ""
    return _table(found.columns, rows, numeric) + f"\n\n{listed}" + _origin_line(found, "")


def growth(ask: Ask) -> str:
    """`growth WHO X Y`: three columns of the benchmark, by number: a line for each name in WHO."""
    ask.count(3, 3, "`growth WHO X Y`")
    found = ask.record.bench
    if found is None:
        return _unmeasured(ask, "")
    try:
        spec = charts.growth(found.columns, found.rows, ask.words)
    except ValueError:
        columns = ", ".join(f"{number} {name}" for number, name in enumerate(found.columns, 1))
        raise ValueError(f"growth takes three of {columns}; two of them have numbers") from None
    x, y = (found.columns[int(number) - 1] for number in ask.words[1:])
    picture = _picture(ask, "growth", spec, escape(spec["description"]))
    return f"{picture}\n\n{_capital(y)}, by {x}."


def _unmeasured(ask: Ask, stack: str) -> str:
    return f"*Not recorded yet: `make bench EXAMPLE={ask.example}{stack} RECORD=1`.*"


def reports(ask: Ask) -> str:
    """`reports`: what went wrong elsewhere, and the test that shows what happens here."""
    ask.count(0, 0, "`reports`")
    found = reported(ask.page.site.root / "examples" / ask.example)
    if not found:
        return "*No test names a report yet.*"
    folder = "" if ask.page.path.parent.name == ask.example else f"{ask.example}/"
    rows = [
        (f"[{each.source}]({each.url})<br>`{folder}{each.test}`", each.fault, each.here)
        for each in found
    ]
    return _table(("report, and its test", "what went wrong there", "what happens here"), rows)


def output(ask: Ask) -> str:
    """`output COMMAND...`: what a command of manage.py printed when all claims were recorded."""
    ask.count(1, None, "`output COMMAND ...`")
    found = ask.record.outputs
    command = " ".join(ask.words)
    if found is None or command not in found.texts:
        return f"*Not recorded yet: `make prove EXAMPLE={ask.example} RECORD=1`.*"
    lines = [f"$ python manage.py {command}", *found.texts[command].split("\n")]
    return "\n".join(["```text", *(line.rstrip() for line in lines), "```"])


def headline(ask: Ask) -> str:
    """`headline`: every example with its claim in one sentence and its charted figures, in learning order."""
    ask.count(0, 0, "`headline`")
    rows = []
    for example in _learned(ask):
        readme = example.path / "README.md"
        text = ask.page.site.read(readme)
        title, sentence = _opening(text, ask.page.site.name(readme))
        link = f"[{title}]({ask.page.link(readme)})"
        rows.append((link, sentence, _headline_figures(Page(ask.page.site, readme), text)))
    return _table(("challenge", "claim", "measured"), rows)


def param(ask: Ask) -> str:
    """`param CLAIM NAME`: what an experiment begins with, inline: how many requests, how many seconds."""
    ask.count(2, 2, f"`{ask.block} CLAIM NAME`")
    claim, name = ask.words
    found = {each.name: each for each in ask.page.site.experiment(ask.example, claim).parameters}
    if name not in found:
        raise ValueError(f"{claim} has no parameter {name!r}; it has: {', '.join(found) or 'none'}")
    return f"{found[name].default:,.10g}"


def setting(ask: Ask) -> str:
    """`setting FILE::NAME [NTH]`: the one number that the source gives to a name, or the NTH; inline."""
    ask.count(1, 2, "`setting FILE::NAME [NTH]`")
    file, _, symbol = ask.words[0].partition("::")
    source = excerpts.excerpt(ask.page.site.read(ask.folder.joinpath(file).resolve()), file, symbol)
    numbers = re.findall(r"(?<![\w.])\d[\d_]*(?:\.\d+)?", re.sub(r"#.*", "", source))
    nth = ask.words[1] if len(ask.words) > 1 else "1"
    if len(numbers) != 1 and len(ask.words) == 1:
        raise ValueError(
            f"{ask.words[0]} names {len(numbers)} numbers; name a constant that has one, or say which"
        )
    if not nth.isdecimal() or not 1 <= int(nth) <= len(numbers):
        raise ValueError(f"{ask.words[0]} names {len(numbers)} numbers, and none is number {nth}")
    return f"{float(numbers[int(nth) - 1]):,.10g}"


def claim(ask: Ask) -> str:
    """`claim SLUG`: what is claimed, the naive figure and the solution's, and the lesson that proves it."""
    ask.count(1, 1, "`claim SLUG`")
    declared = ask.page.site.experiment(ask.example, ask.words[0])
    # Declared from the trivial to what is commonly installed, and from there to the solution.
    last = {run.holds: run for run in ask.runs()}
    lesson = ask.page.link(ask.folder / "README.md")
    said = [f"> {declared.claim} [`{declared.slug}`]({lesson})"]
    for run in last.values():
        said += [">", f"> `{run.variant}` {'holds' if run.holds else 'is refuted'}: {run.figure}."]
    return "\n".join(said if last else [*said, ">", f"> {ask.unrecorded}"])


def index(ask: Ask) -> str:
    """`index FOLDER`: each page of a folder of the hub with its first sentence."""
    ask.count(1, 1, "`index FOLDER`")
    site = ask.page.site
    folder = ask.page.path.parent.joinpath(ask.words[0]).resolve()
    rows = []
    for path in sorted(folder.glob("*.md")):
        if path.name != "README.md":
            title, paragraph = _opening(site.read(path), site.name(path))
            first = re.split(r"(?<=[.?])\s", paragraph, maxsplit=1)[0]
            # A page that defines a term begins with it.
            term = re.match(r"\*\*(.+?)\*\*", first)
            link, rest = ask.page.link(path), first[term.end() :] if term else f": {first}"
            rows.append(f"- [{term[1] if term else title}]({link}){rest}")
    if not rows:
        raise ValueError(f"there is no page in {ask.words[0]}")
    return "\n".join(rows)


def lesson(ask: Ask) -> str:
    """`lesson example=NAME`: an example and its headline figures, inline; that there is none, if so."""
    ask.count(0, 0, "`lesson example=NAME`")
    readme = ask.folder / "README.md"
    if not readme.exists():
        return "*no example yet*"
    text = ask.page.site.read(readme)
    title, _ = _opening(text, ask.page.site.name(readme))
    figures = _headline_figures(Page(ask.page.site, readme), text)
    return f"[{title}]({ask.page.link(readme)})<br>{figures}"


def exercises(ask: Ask) -> str:
    """`exercises`: the patches of every example, by the claim that each refutes."""
    ask.count(0, 0, "`exercises`")
    said = []
    for example in _learned(ask):
        patches = [
            f"[`{path.stem.partition('-')[2]}`]({ask.page.link(path)})"
            for path in sorted(example.path.glob("exercises/*.patch"))
        ]
        said += [f"- {example.title}: {', '.join(patches)}"] if patches else []
    return "\n".join(said)


def sources(ask: Ask) -> str:
    """`sources`: what every lesson stands on, in the order in which one learns."""
    ask.count(0, 0, "`sources`")
    said = []
    for example in _learned(ask):
        section = re.search(r"^## Sources\n(.*?)(?=^## |\Z)", example.readme, re.M | re.S)
        said += [f"## {example.title}", "", section[1].strip(), ""] if section else []
    return "\n".join(said).rstrip()


def proved(ask: Ask) -> str:
    """`proved`: every claim of every example in its sentence, in the order in which one learns."""
    ask.count(0, 0, "`proved`")
    said = []
    for example in _learned(ask):
        link = ask.page.link(example.path / "README.md")
        said += [f"## {example.title}", "", f"[The lesson]({link}) proves:", ""]
        said += [f"- `{slug}`: {each.claim}" for slug, each in example.experiments.items()] + [""]
    return "\n".join(said).rstrip()


def tree(ask: Ask) -> str:
    """`tree [FOLDER]`: the files of the page's folder with what each says of itself."""
    ask.count(0, 1, "`tree [FOLDER]`")
    top = ask.page.path.parent.joinpath(*ask.words[:1]).resolve()
    ask.page.site.name(top)
    if not top.is_dir():
        raise ValueError(f"there is no folder {ask.words[0]}")
    rows = [(f"{top.name}/", _folder_role(ask.page, top)), *_branch(ask.page, top, "  ")]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {role}".rstrip() for name, role in rows]
    return "\n".join(["```text", *lines, "```"])


def commands(ask: Ask) -> str:
    """`commands`: the targets of the Makefile with their `##` comments."""
    ask.count(0, 0, "`commands`")
    makefile = ask.page.site.read(ask.page.site.root / "Makefile")
    found = re.findall(r"^([a-z][\w-]*):.*?## (.+)$", makefile, re.MULTILINE)
    rows = []
    for target, comment in found:
        # `## EXAMPLE=…: start it` puts the arguments before the colon.
        arguments, colon, does = comment.strip().partition(": ")
        takes = bool(colon) and re.match(r"\[?[A-Z]+=", arguments) is not None
        command = f"make {target} {arguments}" if takes else f"make {target}"
        rows.append((f"`{command}`", does if takes else comment.strip()))
    return _table(("command", "does"), rows)


BLOCKS: Mapping[str, Callable[[Ask], str]] = {
    each.__name__: each
    for each in (
        claims,
        chart,
        figure,
        measured,
        bench,
        growth,
        reports,
        output,
        headline,
        param,
        setting,
        claim,
        index,
        lesson,
        exercises,
        sources,
        proved,
        tree,
        commands,
    )
}


def is_left_out(name: str) -> bool:
    """Whether files and folders of this name are made by tools, not by people."""
    return any(fnmatch(name, pattern) for pattern in LEFT_OUT)


def _learned(ask: Ask) -> list[Example]:
    """Every example in the order in which one learns."""
    found = [Example(each.parent) for each in ask.page.site.root.glob("examples/*/README.md")]
    return sorted(found, key=lambda each: (each.order, each.name))


def _one(ask: Ask, part: Callable[[Run], str]) -> str:
    ask.count(2, 2, f"`{ask.block} CLAIM VARIANT [stack=STACK]`")
    runs = ask.runs()
    return part(runs[0]) if runs else "not recorded yet"


def _figures(runs: Sequence[Run]) -> str:
    lines = []
    for run in runs:
        declared = "" if run.holds == run.expected else " (**not as declared**)"
        lines.append(f"`{run.variant}`: {run.figure}{declared}")
    return "<br>".join(lines)


def _headline_figures(page: Page, text: str) -> str:
    # The picture at the top of a write-up is its headline: the first chart says which claim.
    charted = re.search(r"^<!-- nexus:chart +([^>]*?) *-->", text, re.MULTILINE)
    if not charted:
        return ""
    words = [word for word in charted[1].split() if "=" not in word]
    # Declared from the trivial to what is commonly installed, and from there to the solution.
    last = {run.holds: run for run in Ask(page, "chart", words, {}).runs()}
    return _figures(list(last.values())) or "not recorded yet"


def _opening(text: str, name: Path) -> tuple[str, str]:
    match = re.search(
        r"^# (?P<title>.+)\n(?:[ \t]*\n|<!--.*-->[ \t]*\n)*(?P<first>(?:[^\n#<`|].*\n?)+)",
        text,
        re.MULTILINE,
    )
    if not match:
        raise ValueError(f"{name} does not begin with a title and a paragraph")
    sentence = re.sub(r"<!--.*?-->", "", " ".join(match["first"].split()))
    return match["title"].strip(), re.sub(r"\[([^]]+)]\([^)]*\)", r"\1", sentence)


def _branch(page: Page, folder: Path, indent: str) -> Iterator[tuple[str, str]]:
    entries = [path for path in folder.iterdir() if not is_left_out(path.name)]
    for path in sorted(entries, key=lambda path: (path.is_dir(), path.name.lower())):
        if path.is_dir():
            rows = list(_branch(page, path, indent + "  "))
            if rows:
                yield f"{indent}{path.name}/", _folder_role(page, path)
                yield from rows
        elif path.name != "__init__.py" and not is_written(path):
            yield f"{indent}{path.name}", _role(page, path)


def _folder_role(page: Page, folder: Path) -> str:
    package = folder / "__init__.py"
    return excerpts.summary(page.site.read(package), package.name) if package.exists() else ""


def _role(page: Page, path: Path) -> str:
    if path.name in ROLES:
        return ROLES[path.name]
    if path.suffix in {".json", ".txt", ".md", ".png", ".svg", ".xz"}:
        return ""
    return excerpts.summary(page.site.read(path), path.name)


def _origin(record: Record, shown: Mapping[str, str]) -> str:
    told = []
    for each in record.recordings:
        slugs = dict.fromkeys(run.claim for run in each.runs if shown.get(run.claim) == each.stack)
        if slugs:
            told.append((each, ", ".join(f"`{slug}`" for slug in slugs)))
    several = len(told) > 1
    return "\n".join(
        _origin_line(each, f" on the {each.stack} stack" + (f" ({slugs})" if several else ""))
        for each, slugs in told
    )


def _origin_line(source: Recording | Bench, where: str) -> str:
    versions = ", ".join(f"{name} {source.versions[name]}" for name in sorted(source.versions))
    using = f", with {versions}" if versions else ""
    return f"Recorded {source.recorded_at.isoformat()}{where}: {source.machine}{using}."


def _table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool] = ()
) -> str:
    marks = [
        "---:" if number < len(right) and right[number] else "---" for number in range(len(columns))
    ]
    lines = [columns, marks, *([_escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|")


def _cell(value: results.Cell) -> str:
    return value if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    # Never an exponent: most people read none.
    return f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.4g}"
