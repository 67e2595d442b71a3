"""Fills code, figures and compose services into the files that show them: `make sync`.

Markdown knows two forms.
A fence that names a source (```python limiter/bucket.py::Bucket.take) holds that source.
What stands between `<!-- nexus:NAME arguments -->` and `<!-- /nexus -->`, on lines of their own or
within one line, is made by `nexus.blocks`; a chart comes with its pictures, `results/<example>/*.svg`.
In a compose file the lines between `# sync: compose/services.yml redis` and `# end sync` are a copy
of that service. Nothing else is touched.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nexus import blocks
from nexus.blocks import Page, Site
from nexus.charts import THEMES

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
# A second word that looks like a path: with a slash or a dot, or a name that has no ending.
SOURCE = re.compile(
    r"^[ \t]*\w+[ \t]+"
    r"(?P<file>[\w./-]*[./][\w./-]*|Procfile|Dockerfile|Makefile)"
    r"(?:::(?P<symbol>[\w.-]+))?[ \t\r]*$"
)
OPEN = re.compile(r"^[ \t]*<!-- nexus:(?P<name>\w+)(?P<args>[^>]*?) *-->[ \t\r]*$")
CLOSE = re.compile(r"^[ \t]*<!-- /nexus -->[ \t\r]*$")
INLINE = re.compile(
    r"(?P<ticks>(?<!`)`+(?!`)).*?(?<!`)(?P=ticks)(?!`)"  # code: shown, never filled
    r"|(?P<open><!-- nexus:(?P<name>\w+)(?P<args>[^>]*?) *-->)"
    r"(?:(?P<old>(?:(?!<!-- nexus:).)*?)<!-- /nexus -->)?"
    r"|(?P<stray><!-- /nexus -->)"
)
SYNC = re.compile(r"^(?P<indent>[ ]*)# sync: (?P<file>\S+) (?P<key>\S+)[ \t\r]*$")
END_SYNC = re.compile(r"^[ ]*# end sync[ \t\r]*$")

type Source = Callable[[str, str], str]
"""(file, symbol or key) -> text"""
type Block = Callable[[str, str], str]
"""(name, arguments) -> text"""


class WriteupError(ValueError):
    """A block asks for something that does not exist; one line per block: file, line, reason."""


@dataclass(frozen=True, slots=True, order=True)
class Stale:
    """A block that differs from its source."""

    path: Path
    line: int
    block: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.block}"


@dataclass(slots=True)
class Filled:
    """A text with its blocks filled: which of them changed, and which cannot be filled."""

    lines: list[str] = field(default_factory=list)
    changed: list[tuple[int, str]] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def put(self, line: int, block: str, old: list[str], make: Callable[[], list[str]]) -> None:
        """Append what `make` returns in place of `old`; keep `old` if it cannot be made."""
        try:
            new = make()
        except ValueError as error:
            self.problems.append((line, str(error)))
            new = old
        if new != old:
            self.changed.append((line, block))
        self.lines += new


def sync(root: Path, *, check: bool) -> list[Stale]:
    """Fill every block under `root` and return those that were stale; with `check`, write nothing.

    Raises:
        WriteupError: blocks that cannot be filled; nothing was written.
    """
    root = root.resolve()
    site = Site(root)
    stale: list[Stale] = []
    problems: list[str] = []
    for path in _files(root):
        page = Page(site, path)
        text = site.read(path)
        filled = fill_markdown(text, page.source, page.block) if path.suffix == ".md" else None
        filled = filled or fill_compose(text, page.service)
        where = path.relative_to(root)
        problems += [f"{where}:{line}: {message}." for line, message in filled.problems]
        stale += [Stale(where, line, block) for line, block in filled.changed]
        # Later files read this one: the root page takes each example's first sentence.
        site.texts[path] = filled.text
    if problems:
        raise WriteupError("\n".join(problems))
    if not check:
        for path in {root / each.path for each in stale}:
            path.write_bytes(site.texts[path].encode())
    return stale + _sync_pictures(site, check=check)


def _sync_pictures(site: Site, *, check: bool) -> list[Stale]:
    """Write the pictures that the pages show, remove those that none shows any more."""
    shown = site.pictures
    drawn = {path for theme in THEMES for path in site.root.glob(f"results/*/*-{theme}.svg")}
    stale = []
    for path in sorted(drawn | shown.keys()):
        text = shown.get(path)
        if text is not None and path in drawn and path.read_bytes() == text.encode():
            continue
        stale.append(Stale(path.relative_to(site.root), 1, "picture" if text else "shown nowhere"))
        if check:
            continue
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    return stale


def fill_markdown(text: str, source: Source, block: Block) -> Filled:
    """Return `text` with every named fence and every generated block filled."""
    filled = Filled()
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        if fence := FENCE.match(lines[at]):
            end = _fence_end(lines, at, fence["fence"])
        elif OPEN.match(lines[at]):
            end = _block_end(lines, at)
        else:
            _fill_line(filled, at + 1, lines[at], block)
            at += 1
            continue
        if end is None:
            filled.problems.append((at + 1, f"{lines[at].strip()} has no end"))
            filled.lines += lines[at:]
            return filled
        _fill_lines(filled, at + 1, lines[at : end + 1], source, block)
        at = end + 1
    return filled


def fill_compose(text: str, service: Source) -> Filled:
    """Return `text` with every marked service copied from its file."""
    filled = Filled()
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        mark = SYNC.match(lines[at])
        if not mark:
            filled.lines.append(lines[at])
            at += 1
            continue
        end = _find(lines, at + 1, END_SYNC, SYNC)
        if end is None:
            filled.problems.append((at + 1, "`# sync:` has no `# end sync`"))
            filled.lines += lines[at:]
            return filled
        _fill_service(filled, at + 1, lines[at : end + 1], mark, service)
        at = end + 1
    return filled


def _fill_lines(filled: Filled, line: int, old: list[str], source: Source, block: Block) -> None:
    if opened := OPEN.match(old[0]):
        name, args = opened["name"], opened["args"].strip()
        filled.put(
            line,
            f"{name} {args}".strip(),
            old,
            lambda: [old[0], "", *block(name, args).split("\n"), "", old[-1]],
        )
    elif (fence := FENCE.match(old[0])) and (named := SOURCE.match(fence["info"])):
        file, symbol = named["file"], named["symbol"] or ""
        filled.put(
            line,
            f"{file}::{symbol}" if symbol else file,
            old,
            lambda: _fenced(fence, source(file, symbol)),
        )
    else:
        filled.lines += old


def _fill_service(
    filled: Filled, line: int, old: list[str], mark: re.Match[str], service: Source
) -> None:
    file, key = mark["file"], mark["key"]
    filled.put(
        line,
        f"service {key} of {file}",
        old,
        lambda: [old[0], *_indented(service(file, key), mark["indent"]), old[-1]],
    )


def _fill_line(filled: Filled, line: int, old: str, block: Block) -> None:
    if "<!-- nexus:" not in old and "<!-- /nexus -->" not in old:
        filled.lines.append(old)
        return

    def replaced(match: re.Match[str]) -> str:
        if match["stray"]:
            raise ValueError("<!-- /nexus --> closes nothing")
        if not match["open"]:
            return match[0]
        if match["old"] is None:
            raise ValueError(f"{match['open']} has no <!-- /nexus --> on its line")
        new = block(match["name"], match["args"].strip())
        if "\n" in new:
            raise ValueError(f"{match['name']} takes several lines: put its markers on their own")
        return f"{match['open']}{new}<!-- /nexus -->"

    names = [match["open"][11:-3].strip() for match in INLINE.finditer(old) if match["open"]]
    filled.put(line, ", ".join(names), [old], lambda: [INLINE.sub(replaced, old)])


def _fenced(fence: re.Match[str], content: str) -> list[str]:
    mark = fence["fence"][0]
    runs = re.findall(rf"^[ \t]*({re.escape(mark)}{{3,}})", content, re.MULTILINE)
    marks = mark * max([3, *(len(run) + 1 for run in runs)])
    indent = fence["indent"]
    return [f"{indent}{marks}{fence['info']}", *_indented(content, indent), f"{indent}{marks}"]


def _indented(content: str, indent: str) -> list[str]:
    return [f"{indent}{line}" if line.strip() else "" for line in content.split("\n")]


def _fence_end(lines: list[str], start: int, fence: str) -> int | None:
    closing = re.compile(rf"^[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t\r]*$")
    return _find(lines, start + 1, closing)


def _block_end(lines: list[str], start: int) -> int | None:
    return _find(lines, start + 1, CLOSE, OPEN)


def _find(
    lines: list[str], start: int, wanted: re.Pattern[str], barrier: re.Pattern[str] | None = None
) -> int | None:
    for at in range(start, len(lines)):
        if wanted.match(lines[at]):
            return at
        if barrier and barrier.match(lines[at]):
            return None
    return None


def _files(root: Path) -> Iterator[Path]:
    """Yield the compose files, then the pages: those of the hub read the examples', the root page all."""
    yield from sorted(root.glob("examples/*/compose*.yml"))
    pages = []
    for folder, folders, files in root.walk():
        folders[:] = [name for name in folders if not blocks.is_left_out(name)]
        pages += [folder / name for name in files if name.endswith(".md")]
    first = root / "examples"
    yield from sorted(
        pages, key=lambda path: (not path.is_relative_to(first), -len(path.parts), path)
    )
