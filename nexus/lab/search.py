"""What a reader can find: claims, sections, commands and code of all examples, in one index.

The page's script ranks; here is what it ranks, so that search needs no server and no network.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from nexus import catalog, hub
from nexus.lab import pages
from nexus.lab.hub import HubPage
from nexus.lab.markdown import Part
from nexus.lab.pages import Page

NAME = "search-index.js"
WORD = re.compile(r"[^\W_]+")
# Words that stand in every section tell nothing.
COMMON = frozenset(
    WORD.findall(
        "a after all an and are as at be been but by can do does each for from has have if in into is it its"
        " may no not of on one only or so than that the their them then there they this to was what when"
        " where which who with"
    )
)
LONGEST_COMMAND = 100  # characters
MOST_SHARE = 0.125  # of the entries, that a word may be in
COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)


class Entry(NamedTuple):
    """Something to be found.

    Attributes:
        kind: the group that it is shown in.
        title: what is found.
        where: in which example, and in which part of it.
        href: relative to the top of the site; with `index.html` where a page needs it.
        text: what else leads to it: a sentence, or words.
    """

    kind: str
    title: str
    where: str
    href: str
    text: str


def script(index: str = "") -> str:
    """Return the index as the script that a page loads, also from a file on disk.

    Args:
        index: what the address of a page ends with: nothing live, `index.html` exported.
    """
    every = [*entries(index)]
    words, at = _inverted(every)
    heads = [each[:4] for each in every]
    found = {"common": sorted(COMMON), "entries": heads, "words": words, "at": at}
    return f"window.nexusSearch={json.dumps(found, separators=(',', ':'), ensure_ascii=False)};\n"


def entries(index: str = "") -> Iterator[Entry]:
    """Yield everything that can be found, example by example."""
    for written in hub.paths():
        leaf = HubPage(written, index)
        yield from _sections(leaf, leaf.address, leaf.question or leaf.part.capitalize())
    for example in catalog.examples():
        page = pages.page(example.name, index)
        home = f"{page.name}/{index}"
        yield from _claims(page, home)
        yield from _sections(page, home, page.document.title)
        if operating := page.operating:
            where = f"{page.document.title}, in production"
            yield from _sections(operating, f"{page.name}/operating.html", where)
        yield from _code(page)


def _inverted(every: Sequence[Entry]) -> tuple[str, str]:
    """Return the words of all texts, and for each the entries that have it, as steps in base 36.

    This way round the index is two thirds as long. A plural stands with its singular.
    """
    found: dict[str, set[int]] = defaultdict(set)
    for number, entry in enumerate(every):
        for word in WORD.findall(entry.text.lower()):
            found[word].add(number)
    for word in [each for each in found if len(each) > 3 and each.endswith("s")]:
        if word[:-1] in found:
            found[word[:-1]] |= found.pop(word)
    # What stands nearly everywhere leads nowhere.
    found = {word: at for word, at in found.items() if len(at) <= len(every) * MOST_SHARE}
    steps = (
        ",".join(_base36(b - a) for a, b in pairwise([0, *sorted(found[word])]))
        for word in sorted(found)
    )
    return " ".join(sorted(found)), " ".join(steps)


def _base36(number: int) -> str:
    rest, digit = divmod(number, 36)
    return (_base36(rest) if rest else "") + "0123456789abcdefghijklmnopqrstuvwxyz"[digit]


def shorten(text: str, most: int) -> str:
    """Return `text`, or what of it is shown in one line."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _claims(page: Page, home: str) -> Iterator[Entry]:
    title = page.document.title
    for slug, experiment in page.example.experiments.items():
        variants = " ".join(experiment.variants())
        text = f"{experiment.claim} {variants}"
        yield Entry("Claims", slug, title, f"{home}#claim-{slug}", text)


def _sections(page: Page | HubPage, home: str, where: str) -> Iterator[Entry]:
    """Yield the page's beginning, each section with its words, and the commands in it."""
    head, body = Entry("Pages", where, "", home, ""), [Part("prose", text=page.document.summary)]
    if isinstance(page, HubPage):
        head = head._replace(title=page.document.title, where=where)
    for part in page.document.parts:
        if part.block and isinstance(page, HubPage):
            continue  # of other pages, which are found themselves
        if part.kind == "heading":
            yield from _section(head, body)
            where = page.document.title if isinstance(page, HubPage) else where
            head, body = Entry("Pages", part.text, where, f"{home}#{part.anchor}", ""), []
        else:
            body.append(part)
    yield from _section(head, body)


def _section(head: Entry, body: Sequence[Part]) -> Iterator[Entry]:
    prose = " ".join(part.text for part in body if part.kind == "prose")
    yield head._replace(text=words(prose))
    for part in body:
        if part.language == "console":
            for command in COMMAND.findall(part.text):
                where = f"{head.where}, {head.title}" if head.where else head.title
                yield Entry("Commands", shorten(command, LONGEST_COMMAND), where, head.href, "")


def _code(page: Page) -> Iterator[Entry]:
    """Yield the files that a page speaks of."""
    spoken = [*page.document.references]
    spoken += page.operating.document.references if page.operating else ()
    for path in dict.fromkeys(each.path for each in spoken):
        symbols = " ".join(each.symbol for each in spoken if each.path == path)
        text = words(f"{page.files[path].role} {symbols}")
        yield Entry("Code", path, page.document.title, f"{page.name}/files/{path}.html", text)


def words(text: str) -> str:
    """Return each word of `text` once, in lower case, without those that stand everywhere."""
    found = (word.lower() for word in WORD.findall(text))
    telling = (word for word in found if word not in COMMON and (len(word) > 2 or word.isalpha()))
    return " ".join(dict.fromkeys(telling))
