"""The files of an example as its page shows them: which there are, what each is for, highlighted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from pygments.lexers import TextLexer, get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Keyword, Name, Number, String, Token, _TokenType
from pygments.util import ClassNotFound

from nexus import blocks, excerpts

MAX_BYTES = 400_000
MAX_EMBEDDED_BYTES = 60_000
# Long, and nobody reads them beside a paragraph: these have a page of their own only.
DATA = (".json", ".csv")
# Nobody reads hashes at all.
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-package.txt")
SAYS_NOTHING = {*DATA, ".txt", ".md", ".png", ".svg"}
# What a reader of code looks for; everything else is ink. The first that matches decides.
KINDS: Sequence[tuple[_TokenType, str]] = (
    (Comment, "c"),
    (String.Doc, "d"),
    (String, "s"),
    (Keyword.Constant, "m"),
    (Number, "m"),
    (Keyword, "k"),
    (Token.Operator.Word, "k"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "a"),
    (Name.Attribute, "a"),
    (Name.Tag, "k"),
    (Token.Generic.Prompt, "a"),
    (Token.Generic.Output, "o"),
)


@dataclass(frozen=True)
class SourceFile:
    """One text file of an example; `path` is relative to the example's folder, with slashes."""

    path: str
    text: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_embedded(self) -> bool:
        """Whether the example's page carries it, so that the code pane can show it at once."""
        # The write-up is what it stands beside.
        prose = ("README.md", "OPERATING.md")
        is_data = self.name.endswith(DATA) or self.path in prose
        return not is_data and len(self.text.encode()) <= MAX_EMBEDDED_BYTES

    @cached_property
    def lines(self) -> int:
        return len(_lines(self.text))

    @cached_property
    def role(self) -> str:
        """What it is for: its own first sentence, or what its name says."""
        if self.name in blocks.ROLES:
            return blocks.ROLES[self.name]
        if Path(self.name).suffix in SAYS_NOTHING:
            return ""
        return _summary(self.text, self.name)

    def html(self, anchors: Sequence[tuple[int, int]] = ()) -> str:
        """Return its lines, each as `<span id="L12">`.

        Args:
            anchors: ranges of lines that are linked to as `#L12-L30`.
        """
        targets: dict[int, str] = {}
        for first, last in sorted(set(anchors)):
            targets[first] = f'{targets.get(first, "")}<a id="L{first}-L{last}"></a>'
        return "".join(
            f'{targets.get(number, "")}<span id="L{number}">{line}\n</span>'
            for number, line in enumerate(highlighted(self.text, self.name), 1)
        )


@dataclass(frozen=True, slots=True)
class Folder:
    """One level of the file tree, by name.

    Attributes:
        shut: where it leads instead of showing what is in it.
    """

    name: str
    role: str
    files: tuple[SourceFile, ...]
    folders: tuple["Folder", ...]
    shut: str = ""


def files(folder: Path) -> dict[str, SourceFile]:
    """Return the text files of `folder` by their path: what people wrote, nothing that tools made.

    Nothing outside the folder is in it: links are left out, whatever they point at.
    """
    return {file.path: file for file in _walk(folder, folder)}


def tree(found: dict[str, SourceFile], top: str = "", name: str = "") -> Folder:
    """Arrange `found` below the folder `top` (`limiter/`)."""
    inside = [path.removeprefix(top) for path in found if path.startswith(top)]
    names = sorted({path.partition("/")[0] for path in inside if "/" in path})
    init = found.get(f"{top}__init__.py")
    return Folder(
        name=name,
        role=init.role if init else "",
        files=tuple(
            found[f"{top}{path}"] for path in sorted(inside, key=str.lower) if "/" not in path
        ),
        folders=tuple(tree(found, f"{top}{each}/", each) for each in names),
    )


def around(folder: Folder, path: str) -> Folder:
    """Return `folder` with those folders shut in which `path` is not."""
    name, _, rest = path.partition("/")
    return replace(
        folder,
        folders=tuple(
            around(each, rest) if each.name == name else replace(each, shut=_first(each).path)
            for each in folder.folders
        ),
    )


def _first(folder: Folder) -> SourceFile:
    return folder.files[0] if folder.files else _first(folder.folders[0])


@lru_cache(maxsize=2048)  # each page of a file shows the roles of all files
def _summary(text: str, name: str) -> str:
    try:
        return excerpts.summary(text, name)
    except SyntaxError:
        return ""


@lru_cache(maxsize=2048)
def highlighted(text: str, name: str) -> tuple[str, ...]:
    """Return the lines of `text` as HTML; `name` is a file's name, or that of a language."""
    lines: list[list[str]] = [[]]
    # The lexer of console sessions reads whole lines: a last one without its end would be dropped.
    tokens = _lexer(name, text).get_tokens("\n".join(_lines(text)) + "\n")
    for css, group in groupby(tokens, lambda token: _css(token[0])):
        value = "".join(part for _, part in group)
        for number, part in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append(_span(part, css))
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    return tuple("".join(line) for line in lines)


@cache  # there are some eighty kinds, and most of a million tokens
def _css(kind: Any) -> str:
    return next((css for token, css in KINDS if kind in token), "")


def _span(text: str, css: str) -> str:
    written = escape(text, quote=False)
    return f'<span class="{css}">{written}</span>' if css and text.strip() else written


def _lexer(name: str, text: str) -> "TextLexer":
    options = {"stripnl": False, "ensurenl": False}
    try:
        return get_lexer_for_filename(name, text, **options)
    except ClassNotFound:
        pass
    try:
        return get_lexer_by_name(name, **options)
    except ClassNotFound:
        return TextLexer(**options)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").rstrip("\n").split("\n")


def _walk(top: Path, folder: Path) -> Iterator[SourceFile]:
    entries = [path for path in folder.iterdir() if not blocks.is_left_out(path.name)]
    for path in sorted(entries, key=lambda path: (path.is_dir(), path.name.lower())):
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from _walk(top, path)
        elif path.name not in LOCKS and (text := _text(path)) is not None and text.strip():
            yield SourceFile(path.relative_to(top).as_posix(), text)


def _text(path: Path) -> str | None:
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        return None
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
