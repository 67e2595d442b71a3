"""The exported site: complete, without network, from the file system and below a path."""

import gzip
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from nexus.catalog import examples
from nexus.lab.export import export


class Links(HTMLParser):
    """Every address a page names, and every id it has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src", "action", "srcset", "xlink:href") and value:
                self.found.append((tag, name, value))
            if name == "id":
                self.ids.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("export") / "site"
    export(target)
    return target


@pytest.fixture(scope="module")
def links(site) -> dict[Path, Links]:
    parsed = {}
    for page in site.rglob("*.html"):
        parsed[page] = Links()
        parsed[page].feed(page.read_text())
    return parsed


def test_every_example_has_its_page_and_every_file_its_own(site):
    for example in examples():
        assert (site / example.name / "index.html").is_file()
        assert (site / example.name / "files" / "README.md.html").is_file()
        assert (site / example.name / "files" / "experiments" / "__init__.py.html").is_file()


def test_plans_are_on_the_page_before_and_after(site):
    page = (site / "query_optimization" / "index.html").read_text()
    shown = [
        text for text in re.findall(r"<pre.*?</pre>", page, re.DOTALL) if "buffers" in text.lower()
    ]

    assert any("/api/naive/board/" in text and "/api/optimized/board/" in text for text in shown)


def test_every_relative_link_leads_to_a_file_and_a_place_in_it(site, links):
    broken = []
    for page, found in links.items():
        for _, _, address in found.found:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            assert not parts.path.startswith("/"), f"{page}: {address} breaks below a path"
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_relative_to(site) or not target.is_file():
                broken.append(f"{page.relative_to(site)}: {address}")
            elif parts.fragment and target in links:
                anchor = re.match(r"L\d+(?=-L\d+$)", parts.fragment)
                if (anchor[0] if anchor else parts.fragment) not in links[target].ids:
                    broken.append(f"{page.relative_to(site)}: {address}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(links):
    for page, found in links.items():
        for tag, _, address in found.found:
            assert tag == "a" or not urlsplit(address).scheme, f"{page}: <{tag}> loads {address}"


def test_there_is_nothing_to_run(site, links):
    for page in links:
        text = page.read_text()
        assert "<form" not in text
        assert "live.js" not in text
        assert "terminal printed" not in text
    assert not (site / "static" / "lab" / "live.js").exists()


def test_the_site_is_small_and_every_page_says_what_it_is(site):
    assert sum(file.stat().st_size for file in site.rglob("*")) <= 25_000_000
    titles = Counter(re.search("<title>(.+?)</title>", page)[1] for page in texts(site))
    assert [title for title, count in titles.items() if count > 1] == []
    assert all('<meta name="description" content="' in page for page in texts(site))
    assert (site / "social.png").read_bytes().startswith(b"\x89PNG")
    assert not (site / "sitemap.xml").exists()


def texts(site: Path) -> list[str]:
    return [page.read_text() for page in site.rglob("*.html")]


def test_exporting_again_replaces_what_was_there_and_says_where_it_is_served(site):
    stale = site / "stale.html"
    stale.write_text("from an earlier export")
    count = export(site, "https://example.org/nexus")
    listed = re.findall(
        "<loc>https://example.org/nexus/(.*)</loc>", (site / "sitemap.xml").read_text()
    )
    page = (site / "docs" / "concepts" / "backup.html").read_text()

    assert not stale.exists()
    assert count == len(list(site.rglob("*.html")))
    assert "" in listed
    assert "docs/concepts/backup.html" in listed
    assert all(
        (site / each / ("" if each.endswith(".html") else "index.html")).is_file()
        for each in listed
    )
    assert (
        '<link rel="canonical" href="https://example.org/nexus/docs/concepts/backup.html">' in page
    )


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    precious = tmp_path / "site" / "precious"
    precious.parent.mkdir()
    precious.write_text("mine")

    with pytest.raises(ValueError, match="site/ holds files of somebody else"):
        export(tmp_path / "site")
    assert precious.read_text() == "mine"


def test_what_search_loads_is_small_and_leads_somewhere(site, links):
    script = (site / "search-index.js").read_text(encoding="utf-8")
    index = json.loads(script.removeprefix("window.nexusSearch=").removesuffix(";\n"))
    addresses = [urlsplit(href) for _, _, _, href in index["entries"]]

    assert len(gzip.compress(script.encode())) <= 60_000
    for address in addresses:
        page = site / address.path
        assert page.is_file(), address.geturl()
        assert not address.fragment or address.fragment in links[page].ids, address.geturl()
