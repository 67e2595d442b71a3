"""A write-up as parts of a page: prose that is safe to show, code with its place in the source.

Raw HTML in a write-up is shown as text, except comments, which vanish, and `<br>` in tables.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, Protocol

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from nexus.lab.source import highlighted
from nexus.writeup import CLOSE, OPEN, SOURCE

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
TAGS = {
    "a", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "h2", "h3", "h4", "hr", "li", "ol",
    "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul", "wbr",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "class", "data-file", "data-lines"},
    "code": {"class"},
    "div": {"class", "tabindex", "role", "aria-label"},
    "h2": {"id"},
    "h3": {"id"},
    "h4": {"id"},
    "ol": {"start"},
    "span": {"class"},
    "td": {"class", "data-label"},
    "th": {"class", "scope"},
}
SCHEMES = {"http", "https", "mailto"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in the source: a file of the example, and lines of it (0: all)."""

    path: str
    symbol: str = ""
    first: int = 0
    last: int = 0
    base: str = ""  # from the page that names it to the example's

    @property
    def lines(self) -> str:
        return f"{self.first}-{self.last}" if self.first else ""

    @property
    def href(self) -> str:
        fragment = f"#L{self.first}-L{self.last}" if self.first else ""
        return f"{self.base}files/{self.path}.html{fragment}"


class Links(Protocol):
    """What a write-up may point at."""

    def reference(self, code: str) -> Reference | None:
        """The place that inline code names; None if it names none.

        Raises:
            ValueError: the file exists, what is named in it does not.
        """
        ...

    def claim(self, code: str) -> str | None:
        """Where the panel of the claim is that inline code names; None if it names none."""
        ...

    def href(self, target: str) -> str | None:
        """Where a relative link leads in the lab; None if it leads nowhere."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """A top-level block of a write-up.

    Attributes:
        html: ready to be put into a page.
        text: of a fence, its content; of a heading, its words.
        language: of a fence.
        block: name of the generated block it is in.
        args: of the generated block that begins here.
        claims: slugs that it names, in order.
    """

    kind: Literal["prose", "heading", "code", "diagram", "block"]
    html: str = ""
    text: str = ""
    anchor: str = ""
    level: int = 0
    language: str = ""
    reference: Reference | None = None
    block: str = ""
    args: str = ""
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A write-up: its title, its first sentence as HTML and as text, and what follows."""

    title: str
    lead: str
    summary: str
    parts: tuple[Part, ...]
    references: tuple[Reference, ...]


def parse(text: str, links: Links) -> Document:
    """Read a write-up.

    Raises:
        ValueError: it names a part of a file that does not exist, or has no title and first paragraph.
    """
    return _Reader(links).read(text)


def opening(text: str) -> tuple[str, str, str]:
    """Return title, first paragraph as text, and the arguments of the first chart (or nothing)."""
    title = lead = ""
    tokens = _markdown().parse(text)
    for at, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1" and not title:
            title = _words(tokens[at + 1])
        elif token.type == "paragraph_open" and token.level == 0 and not lead:
            lead = _words(tokens[at + 1])
    charts = (OPEN.match(token.content.strip()) for token in tokens if token.type == "html_block")
    args = next(
        (found["args"].strip() for found in charts if found and found["name"] == "chart"), ""
    )
    return title, lead, args


def clean(html: str) -> str:
    """Return `html` with nothing in it that a write-up may not do to its reader."""
    return nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer"
    )


class _Reader:
    def __init__(self, links: Links) -> None:
        self.links = links
        self.references: list[Reference] = []
        self.anchors: set[str] = set()
        self.tables: Counter[str] = Counter()  # by what their first row says
        self.markdown = _markdown()
        self.markdown.add_render_rule("code_inline", self._code)
        self.markdown.add_render_rule("fence", _nested_fence)

    def read(self, text: str) -> Document:
        parts = list(self._parts(self.markdown.parse(text)))
        title = next((part for part in parts if part.kind == "heading" and part.level == 1), None)
        lead = next((part for part in parts if part.kind == "prose"), None)
        if title is None or lead is None:
            raise ValueError("a write-up begins with a title and a paragraph")
        return Document(
            title=title.text,
            lead=lead.html,
            summary=lead.text,
            parts=tuple(part for part in parts if part is not title and part is not lead),
            references=tuple(dict.fromkeys(self.references)),
        )

    def _parts(self, tokens: Sequence[Token]) -> Iterator[Part]:
        block = ""
        for chunk in _chunks(tokens):
            first = chunk[0]
            if first.type == "html_block":
                if opened := OPEN.match(first.content.strip()):
                    block = opened["name"]
                    yield Part("block", block=block, args=opened["args"].strip())
                elif CLOSE.match(first.content.strip()):
                    block = ""
                elif rest := COMMENT.sub("", first.content).strip():
                    yield Part("prose", f"<p>{escape(rest)}</p>", text=rest, block=block)
            elif first.type == "fence":
                yield self._fence(first, block)
            elif first.type == "heading_open":
                yield self._heading(chunk, block)
            else:
                self._prepare(chunk)
                named = [
                    child.content
                    for token in chunk
                    for child in token.children or []
                    if child.type == "code_inline" and self.links.claim(child.content)
                ]
                yield Part(
                    "prose",
                    clean(self._html(chunk)),
                    text=" ".join(_words(token) for token in chunk if token.type == "inline"),
                    block=block,
                    claims=() if block else tuple(dict.fromkeys(named)),
                )

    def _html(self, tokens: Sequence[Token]) -> str:
        return str(
            self.markdown.renderer.render(tokens, self.markdown.options, {"tables": self.tables})
        )

    def _heading(self, chunk: Sequence[Token], block: str) -> Part:
        inline = chunk[1]
        level = int(chunk[0].tag[1])
        words = _words(inline)
        anchor = self._anchor(words)
        self._prepare(chunk)
        tag = f"h{min(level, 4)}"
        inner = self._html([inline])
        html = f'<{tag} id="{anchor}"><a href="#{anchor}">{inner}</a></{tag}>'
        if "<a " in inner:  # a link of its own: no second one around it
            html = f'<{tag} id="{anchor}">{inner}</{tag}>'
        return Part("heading", clean(html), text=words, anchor=anchor, level=level, block=block)

    def _anchor(self, words: str) -> str:
        base = re.sub(r"[^\w\s-]", "", words.lower()).strip().replace(" ", "-") or "section"
        anchor, number = base, 1
        while anchor in self.anchors:
            anchor, number = f"{base}-{number}", number + 1
        self.anchors.add(anchor)
        return anchor

    def _fence(self, token: Token, block: str) -> Part:
        language = token.info.split()[0] if token.info.split() else "text"
        if language == "mermaid":
            return Part("diagram", text=token.content, language=language, block=block)
        named = SOURCE.match(token.info)
        reference = None
        if named:
            code = f"{named['file']}::{named['symbol']}" if named["symbol"] else named["file"]
            reference = self.links.reference(code)
            if reference is None:
                raise ValueError(f"there is no file {named['file']}")
            self.references.append(reference)
        return Part(
            "code",
            "\n".join(highlighted(token.content, language)),
            text=token.content,
            language=language,
            reference=reference,
            block=block,
        )

    def _prepare(self, tokens: Sequence[Token]) -> None:
        """Turn links to where they lead in the lab, and alignment into classes."""
        for token in tokens:
            if token.type in ("td_open", "th_open"):
                style = str(token.attrs.pop("style", ""))
                token.attrs |= {"class": "number"} if "right" in style else {}
                token.attrs |= {"scope": "col"} if token.type == "th_open" else {}
            if token.children:
                token.children = list(self._linked(token.children))

    def _linked(self, children: Sequence[Token]) -> Iterator[Token]:
        open_links: list[bool] = []
        for child in children:
            if child.type == "link_open":
                href = self._href(str(child.attrs.get("href", "")))
                open_links.append(href is not None)
                if href is None:
                    continue
                child.attrs["href"] = href
            elif child.type == "link_close":
                if not open_links.pop():
                    continue
            elif child.type == "code_inline":
                child.meta["in_link"] = any(open_links)
            elif child.type == "image":
                child = Token("text", "", 0, content=child.content)
            yield child

    def _href(self, target: str) -> str | None:
        if re.match(r"(?:https?|mailto):", target) or target.startswith("#"):
            return target
        return self.links.href(target)

    def _code(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        token = tokens[at]
        # A path breaks after its slashes, not within its names.
        written = re.sub(r"(?<=\w)(/|::)(?=\w)", r"\1<wbr>", escape(token.content))
        code = f"<code>{written}</code>"
        if token.meta.get("in_link"):
            return code
        if claim := self.links.claim(token.content):
            return f'<a class="to-claim" href="{claim}">{code}</a>'
        reference = self.links.reference(token.content)
        if reference is None:
            return code
        self.references.append(reference)
        return (
            f'<a class="reference" href="{escape(reference.href)}" data-file="{escape(reference.path)}"'
            f' data-lines="{reference.lines}">{code}</a>'
        )


def _markdown() -> MarkdownIt:
    # Smart quotes would change what a console prints; links that are not written as links stay text.
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    markdown.add_render_rule("html_inline", _raw)
    markdown.add_render_rule("html_block", _raw)
    markdown.add_render_rule("table_open", _table_open)
    markdown.add_render_rule("table_close", _table_close)
    return markdown


def _raw(_: RendererHTML, tokens: Sequence[Token], at: int, *__: Any) -> str:
    content = COMMENT.sub("", tokens[at].content)
    return "<br>" if re.fullmatch(r"<br ?/?>", content) else escape(content)


def _nested_fence(_: RendererHTML, tokens: Sequence[Token], at: int, *__: Any) -> str:
    token = tokens[at]
    language = token.info.split()[0] if token.info.split() else "text"
    return f"<pre><code>{'\n'.join(highlighted(token.content, language))}</code></pre>\n"


def _table_open(
    _: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: dict[str, Any]
) -> str:
    heads: list[str] = []
    column = 0
    for number, token in enumerate(tokens[at:], at):
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            column = 0
        elif token.type == "th_open":
            heads.append(_words(tokens[number + 1]))
        elif token.type == "td_open":
            token.attrs["data-label"] = heads[column]  # on a phone the head of its column is away
            column += 1
    label = escape(", ".join(head for head in heads if head))
    env["tables"][label] += 1
    if (number := env["tables"][label]) > 1:
        label += f" ({number})"  # each landmark has a name of its own
    return f'<div class="table" tabindex="0" role="region" aria-label="Table: {label}"><table>\n'


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def _chunks(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    chunk: list[Token] = []
    for token in tokens:
        chunk.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield chunk
            chunk = []


def _words(inline: Token) -> str:
    kinds = ("text", "code_inline", "softbreak", "hardbreak")
    found = [child for child in inline.children or [] if child.type in kinds]
    return " ".join("".join(child.content or " " for child in found).split())
