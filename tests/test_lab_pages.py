"""What the pages of the lab show, without a browser."""

import gzip
import os
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nexus.lab.settings")
django.setup()

from django.test import Client  # noqa: E402 settings first
from django.utils.html import escape  # noqa: E402

from nexus import catalog, charts, excerpts  # noqa: E402
from nexus.lab import diagrams, markdown, pages, source  # noqa: E402
from nexus.lab.markdown import Reference  # noqa: E402

STATIC = Path(pages.__file__).parent / "static" / "lab"
EXTERNAL = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)


class Links:
    """A write-up's surroundings: one file, one claim."""

    def reference(self, code):
        path, _, symbol = code.partition("::")
        if path != "a.py":
            return None
        if not symbol:
            return Reference("a.py")
        return Reference("a.py", symbol, *excerpts.span("def f():\n    pass\n", "a.py", symbol))

    def claim(self, code):
        return "#claim-it-holds" if code == "it-holds" else None

    def href(self, target):
        return "files/a.py.html" if target == "a.py" else None


class Seen(HTMLParser):
    """Everything that a page points at, and what could point at it."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.links, self.loads, self.tags = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" and found.get("href") else []
        self.loads += [found[name] for name in ("src", "srcset", "action") if found.get(name)]
        self.loads += [found["href"]] if tag != "a" and found.get("href") else []


def parse(text):
    return markdown.parse(f"# Title\n\nThe claim.\n\n{text}", Links())


def shown(text):
    return "".join(part.html for part in parse(text).parts)


@pytest.fixture
def client():
    return Client(headers={"host": "127.0.0.1"})


@pytest.fixture
def page(example):
    return pages.page(example.name)


@pytest.fixture(scope="module")
def look():
    """Return what the page of a path shows; it is asked for once for the tests of all examples.

    An example is read once for all of its pages: nothing changes on disk meanwhile.
    """
    client, page = Client(headers={"host": "127.0.0.1"}), cache(pages.page)

    def seen(path: str) -> Seen:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(pages, "page", page)
            return Seen(get(client, path))

    return cache(seen)


def get(client, path, status=200):
    response = client.get(path)

    assert response.status_code == status, path
    return response.content.decode()


def test_assets_are_sent_whole_and_not_again(client):
    first = client.get("/static/lab/lab.css")
    again = client.get("/static/lab/lab.css", headers={"if-modified-since": first["Last-Modified"]})

    assert not first.streaming  # Django would warn of each
    assert first["Content-Type"].startswith("text/css")
    assert (first.status_code, again.status_code) == (200, 304)


# ---------------------------------------------------------------- write-ups


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "text <img src=x onerror=alert(1)> text",
        "<a href='javascript:alert(1)' onclick='alert(1)'>x</a>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](https://elsewhere.example/x.png)",
        "<iframe src='//elsewhere.example'></iframe>",
        "<!-- a --><script>alert(1)</script>",
        "| a |\n|---|\n| <svg onload=alert(1)> |",
        "```html\n<script>alert(1)</script>\n```",
        "- one\n\n  ```html\n  <script>alert(1)</script>\n  ```",
        '<div class="panel" data-claim="x">',
        "## <style>body{display:none}</style>",
    ],
)
def test_write_up_cannot_bring_its_own_markup(text):
    seen = Seen(shown(text))
    names = {tag for tag, _ in seen.tags}
    attributes = {name for _, found in seen.tags for name in found}

    assert names.isdisjoint({"script", "img", "iframe", "svg", "style", "object", "form"})
    assert not [name for name in attributes if name.startswith("on") or name == "data-claim"]
    assert not [link for link in seen.links if link.startswith(("javascript", "data"))]


def test_sanitizer_alone_stops_what_the_parser_lets_through():
    html = "<p onclick=x()>a<script>x()</script><a href=javascript:x()>b</a></p>"

    assert markdown.clean(html) == '<p>a<a rel="noopener noreferrer">b</a></p>'


def test_comments_vanish_and_breaks_stay():
    html = shown("a <!-- hidden --> b\n\n| t |\n|---|\n| x<br>y |")

    assert "hidden" not in html
    assert "x<br>y" in html


def test_inline_code_that_names_a_file_is_a_reference():
    html = shown("See `a.py::f`, `a.py` and `b.py`.")

    assert 'href="files/a.py.html#L1-L2"' in html
    assert 'data-lines="1-2"' in html
    assert 'href="files/a.py.html"' in html
    assert "<code>b.py</code>" in html


def test_symbol_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match=r"a\.py has no 'g'"):
        parse("See `a.py::g`.")


def test_fence_of_a_missing_file_is_an_error():
    with pytest.raises(ValueError, match=r"there is no file b\.py"):
        parse("```python b.py::f\nx\n```")


def test_named_fence_knows_its_lines():
    code = parse("```python a.py::f\ndef f():\n    pass\n```").parts[0]

    assert code.kind == "code"
    assert code.reference == Reference("a.py", "f", 1, 2)


def test_relative_link_leads_to_the_file_page_or_is_text():
    html = shown("[file](a.py) and [elsewhere](../../../etc/passwd)")

    assert '<a href="files/a.py.html"' in html
    assert "elsewhere" in html
    assert "passwd" not in html


def test_code_within_a_link_is_not_a_link_of_its_own():
    html = shown("[`a.py`](a.py)")

    assert html.count("<a ") == 1


def test_claims_count_in_prose_and_not_in_generated_blocks():
    parts = parse("<!-- nexus:claims -->\n\n`it-holds`\n\n<!-- /nexus -->\n\nBut `it-holds`.").parts

    assert [part.claims for part in parts if part.kind == "prose"] == [(), ("it-holds",)]


def test_same_headings_have_anchors_of_their_own():
    parts = parse("## One\n\n## One").parts

    assert [part.anchor for part in parts] == ["one", "one-1"]


def test_write_up_without_a_title_is_an_error():
    with pytest.raises(ValueError, match="title"):
        markdown.parse("Only text.", Links())


# ---------------------------------------------------------------- source files


def test_tables_of_the_same_columns_have_names_of_their_own():
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    parsed = parse(f"{table}Text.\n\n{table}")

    labels = re.findall(r'aria-label="([^"]*)"', "".join(part.html for part in parsed.parts))
    assert labels == ["Table: a, b", "Table: a, b (2)"]


def test_cells_bear_the_names_of_their_columns():
    parsed = parse("| a | b `c` |\n|---|---|\n| 1 | 2 |\n| 3 | |\n")

    labels = re.findall(r'data-label="([^"]*)"', "".join(part.html for part in parsed.parts))
    assert labels == ["a", "b c", "a", "b c"]


def test_files_are_those_that_people_wrote(tmp_path):
    (tmp_path / "outside.py").write_text("secret = 1\n")
    top = tmp_path / "example"
    (top / "pkg" / "__pycache__").mkdir(parents=True)
    (top / "pkg" / "mod.py").write_text("x = 1\n")
    (top / "pkg" / "__init__.py").write_text("")
    (top / "pkg" / "__pycache__" / "mod.pyc").write_bytes(b"x")
    (top / ".env").write_text("SECRET=1\n")
    (top / "picture.png").write_bytes(b"\x89PNG\0")
    (top / "link.py").symlink_to(tmp_path / "outside.py")
    (top / "folder").symlink_to(tmp_path)

    assert list(source.files(top)) == ["pkg/mod.py"]


def test_highlighting_changes_no_character():
    text = 'def f(a: int) -> str:\n    """Doc\n    string."""\n    return f"<{a}&>"  # why\n'
    lines = source.highlighted(text, "a.py")

    assert len(lines) == 4
    assert "".join(re.sub(r"<[^>]+>", "", line) + "\n" for line in lines) == (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    )


def test_a_console_block_keeps_its_last_line():
    lines = source.highlighted("$ make run\nReady\n$ make test", "console")

    assert [re.sub(r"<[^>]+>", "", line) for line in lines] == [
        "$ make run",
        "Ready",
        "$ make test",
    ]


def test_a_span_never_crosses_a_line():
    for line in source.highlighted('x = """a\nb\nc"""\n', "a.py"):
        assert line.count("<span") == line.count("</span")


@pytest.mark.parametrize(
    "path",
    [
        "../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "limiter/../../../pyproject.toml",
        ".env",
        "limiter",
        "",
    ],
)
def test_no_path_outside_the_example_is_served(client, example, path):
    html = get(client, f"/{example.name}/files/{path}.html", 404)

    assert "root:" not in html
    assert "[project]" not in html


# ---------------------------------------------------------------- pages of the examples


def test_references_point_at_the_lines_they_name(page):
    assert page.document.references
    for reference in page.document.references:
        file = page.files[reference.path]
        if not reference.symbol:
            continue
        lines = file.text.splitlines()[reference.first - 1 : reference.last]
        found = excerpts.excerpt(file.text, file.name, reference.symbol)

        assert lines[0].strip() == found.splitlines()[0].strip()
        assert lines[-1].strip() == found.splitlines()[-1].strip()


def test_every_claim_has_one_panel_after_the_block_that_names_it_first(page):
    named, panels = [], []
    for block in page.blocks:
        if block.panel:
            panels.append(block.panel.slug)
            assert block.panel.slug in named
        named += block.part.claims if block.part else []

    assert sorted(panels) == sorted(page.example.experiments)
    assert panels == list(dict.fromkeys(named))


def test_claims_that_no_paragraph_names_come_at_the_end_of_the_proof(page):
    slugs = "|".join(page.example.experiments)
    text = re.sub(rf"`({slugs})`(?!<br>)", r"\1", page.files["README.md"].text)
    bare = pages.Page(
        page.example, page.record, page.files | {"README.md": source.SourceFile("README.md", text)}
    )
    blocks = bare.blocks
    first = next(at for at, block in enumerate(blocks) if block.panel)
    headings = [block.part.text for block in blocks[:first] if block.part and block.part.level == 2]

    assert headings[-1] == "Proof"
    assert [block.panel.slug for block in blocks if block.panel] == list(page.example.experiments)


def test_stale_symbol_in_a_write_up_is_an_error(page):
    file = next(path for path in page.files if path.endswith(".py"))
    text = f"{page.files['README.md'].text}\nSee `{file}::NoSuchThing`.\n"
    stale = pages.Page(
        page.example, page.record, page.files | {"README.md": source.SourceFile("README.md", text)}
    )

    with pytest.raises(ValueError, match="NoSuchThing"):
        _ = stale.document


def test_how_to_operate_an_example_is_a_page_of_its_own(page):
    slug = next(iter(page.example.experiments))
    text = (
        f"# In production\n\nSettings.\n\n## Faults\n\n`{slug}` and [the lesson](README.md#proof)."
    )
    lesson = pages.Page(
        page.example,
        page.record,
        {**page.files, "OPERATING.md": source.SourceFile("OPERATING.md", text)},
    )
    html = "".join(block.html for block in lesson.operating.blocks)

    assert page.operating is None or "OPERATING.md" in page.files
    assert [part.text for part in lesson.operating.contents] == ["Faults"]
    assert not any(block.panel for block in lesson.operating.blocks)
    assert f'href="./#claim-{slug}"' in html
    assert 'href="./#proof"' in html
    assert markdown.parse("# A\n\nB. [c](OPERATING.md#faults)", pages._Links(lesson)).lead == (
        '<p>B. <a href="operating.html#faults" rel="noopener noreferrer">c</a></p>\n'
    )


def test_panel_shows_what_was_recorded(page, client):
    html = get(client, f"/{page.name}/")
    record = page.record
    shown = {slug: record.stacks(slug)[0] for slug in record.claims if record.stacks(slug)}
    for run in [run for slug, stack in shown.items() for run in record.runs(stack, slug)]:
        panel = html.partition(f'id="claim-{run.claim}"')[2].partition("</section>")[0]

        assert f"<code>{run.variant}</code>" in panel
        assert escape(run.figure) in panel
        assert ("holds" if run.holds else "refuted") in panel


def test_page_carries_the_sources_it_speaks_of(page):
    embedded = {file.path for file in page.embedded}
    data = {
        path for path in page.files if path.endswith((".json", "README.md", "requirements.txt"))
    }

    assert {reference.path for reference in page.document.references} <= embedded | data
    assert all(f"{file.text.splitlines()[0][:1]}" for file in page.embedded)


def test_cards_stand_in_the_order_in_which_one_learns():
    cards = [card.name for card in pages.home()]

    assert cards[0] == "rate_limiting"
    assert cards == [each.name for each in sorted(catalog.examples(), key=lambda each: each.order)]
    assert all(example.order < 99 for example in catalog.examples())


def test_home_has_a_card_for_every_example(client):
    html = get(client, "/")

    for example in catalog.examples():
        assert f'href="{example.name}/"' in html
        assert f'data-example-state="{example.name}"' in html
        assert example.title in html


def test_a_page_of_the_hub_shows_its_claim_and_leads_to_the_lesson(client):
    html = get(client, "/docs/concepts/acknowledgement.html")

    assert 'id="claim-no-job-is-lost" data-example="async_tasks"' in html
    assert 'href="../../async_tasks/#claim-no-job-is-lost"' in html
    assert "<blockquote>" not in html  # the panel stands for it
    assert 'href="docs/concepts/acknowledgement.html"' in get(client, "/")


@pytest.mark.parametrize(
    "path", ["nope.html", "concepts", "../README.md", "..%2fREADME.html", "README.md"]
)
def test_the_hub_serves_nothing_but_its_pages(client, path):
    get(client, f"/docs/{path}", 404)


def test_unknown_example_lists_those_there_are(client, example):
    html = get(client, "/no-such-example/", 404)

    assert f'href="/{example.name}/"' in html
    assert "no-such-example" in html


def test_unknown_file_lists_the_files_and_claims_of_its_example(client, example):
    html = get(client, f"/{example.name}/files/nope.py.html", 404)

    assert f'href="/{example.name}/files/experiments/__init__.py.html"' in html
    for slug in example.experiments:
        assert f'href="/{example.name}/#claim-{slug}"' in html


def test_path_of_a_404_is_shown_as_text(client):
    assert "<script>" not in get(client, "/<script>alert(1)</script>/", 404).partition("<body")[2]


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(look, example):
    others = tuple(f"/{each.name}/" for each in catalog.examples() if each.name != example.name)
    pages_seen, waiting = {}, ["/"]
    while waiting:
        path = waiting.pop()
        if path in pages_seen:
            continue
        seen = look(path)
        if path.startswith(others):
            continue  # it answers; what it shows is for the test of its example
        pages_seen[path] = seen
        for load in seen.loads:
            assert not EXTERNAL.match(load), f"{path} loads {load}"
        own = (unquote(link) for link in seen.links if not EXTERNAL.match(link))
        waiting += [urljoin(path, link).partition("#")[0] for link in own]

    files = set(source.files(example.path))
    assert {f"/{example.name}/files/{path}.html" for path in files} <= set(pages_seen)
    for path, seen in pages_seen.items():
        for link in seen.links:
            target, _, anchor = urljoin(path, unquote(link)).partition("#")
            if anchor and not EXTERNAL.match(link):
                assert anchor in look(target).ids, f"{path} links to {target}#{anchor}"


def test_ids_are_unique(client, example):
    html = re.sub(r"<template.*?</template>", "", get(client, f"/{example.name}/"), flags=re.DOTALL)
    ids = [each for each in Seen(html).ids if not each.startswith("diagram-")]

    assert len(ids) == len(set(ids))


def test_pages_are_light(client, example):
    weight = len(gzip.compress(get(client, f"/{example.name}/").encode()))
    for name in ("lab.css", "lab.js", "first.js", "live.js"):
        weight += len(gzip.compress((STATIC / name).read_bytes()))

    assert weight <= 400_000


def test_exported_page_has_no_forms_and_explicit_indexes(example):
    from django.template.loader import render_to_string

    context = {"live": False, "root": "../", "index": "index.html"}
    html = render_to_string(
        "lab/example.html", {"page": pages.page(example.name, "index.html")} | context
    )

    assert "<form" not in html
    assert "live.js" not in html
    assert 'href="../index.html"' in html


# ---------------------------------------------------------------- diagrams


def test_diagram_has_a_name_and_the_colours_of_the_page():
    pytest.importorskip("merman")
    drawn = diagrams.svg("flowchart LR\n  a[one] --> b[two]", "d1", "One leads to two")

    assert 'role="img"' in drawn
    assert "<title>One leads to two</title>" in drawn
    assert not re.findall(r"(?:fill|stroke|color)\s*[:=]\s*[\"']?#", drawn)


def test_boxes_of_an_entity_diagram_are_paper_and_not_ink():
    pytest.importorskip("merman")
    drawn = diagrams.svg("erDiagram\n  A ||--o{ B : has\n  A {\n    int id PK\n  }", "d4", "x")
    boxes = re.findall(r'class="(?:outer-path|row-rect-\w+)"><path[^>]*?fill="([^"]*)"', drawn)

    assert boxes
    assert set(boxes) == {"var(--diagram-paper)"}


def test_diagram_loads_and_runs_nothing():
    pytest.importorskip("merman")
    text = (
        '%%{init: {"themeCSS": "* { background: url(//elsewhere.example) }"}}%%\n'
        'flowchart LR\n  a["<img src=x onerror=alert(1)>"] --> b\n'
        '  click a href "javascript:alert(1)"\n  click b call alert()'
    )
    drawn = diagrams.svg(text, "d2", "x") or ""
    names = {tag for tag, _ in Seen(drawn).tags}

    assert names.isdisjoint({"script", "img", "a", "image", "foreignobject", "iframe", "use"})
    assert "elsewhere" not in drawn
    assert "javascript" not in drawn


def test_diagram_that_cannot_be_drawn_is_left_to_its_text(monkeypatch):
    monkeypatch.setattr(diagrams, "_engine", lambda: None)
    diagrams.svg.cache_clear()

    assert diagrams.svg("flowchart LR\n  a --> b", "d3", "x") is None
    diagrams.svg.cache_clear()


# ---------------------------------------------------------------- colours


def colours(theme):
    found = re.findall(
        r"(--[\w-]+): light-dark\((#\w{6}), (#\w{6})\)", (STATIC / "lab.css").read_text()
    )
    return {name: dark if theme == "dark" else light for name, light, dark in found}


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


TEXT = {
    "--paper": ["--ink", "--soft", "--accent", "--naive", "--solution", "--code-soft"],
    "--panel": ["--ink", "--soft", "--accent", "--naive", "--solution"],
    "--accent-paper": ["--ink", "--soft", "--accent", "--naive", "--solution"],
    "--naive-paper": ["--ink"],
    "--accent": ["--accent-ink"],
    "--diagram-paper": ["--ink"],
    "--diagram-note": ["--ink"],
}
CODE = ["--code-soft", "--code-keyword", "--code-string", "--code-constant", "--code-name", "--ink"]
CHART = [
    "--chart-naive",
    "--chart-naive-2",
    "--chart-solution",
    "--chart-solution-2",
    "--chart-ink",
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read(theme):
    palette = colours(theme)
    pairs = [(ground, text) for ground, texts in TEXT.items() for text in texts]
    pairs += [(ground, text) for ground in ("--code-paper", "--code-mark") for text in CODE]
    pairs += [(ground, text) for ground in ("--paper", "--panel") for text in CHART]
    poor = {
        f"{text} on {ground}": round(contrast(palette[ground], palette[text]), 2)
        for ground, text in pairs
        if contrast(palette[ground], palette[text]) < 4.5
    }

    assert not poor


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_edges_of_controls_can_be_seen(theme):
    palette = colours(theme)

    assert contrast(palette["--edge"], palette["--paper"]) >= 3
    assert contrast(palette["--edge"], palette["--panel"]) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_have_the_colours_of_the_page(theme):
    palette = colours(theme)

    for name, colour in charts.THEMES[theme].items():
        assert palette[name] == colour


def test_growth_in_a_benchmark_is_drawn_beside_its_table():
    [drawn] = [each for each in pages.page("backups").blocks if "<figure" in each.html]

    *_, latest = pages.page("backups").record.bench.rows
    assert f"received {latest[3]}" in drawn.html
    assert "bookings" in drawn.html


def test_tables_in_which_one_looks_things_up_are_folded_with_what_is_said_below_them(example):
    blocks = pages.page(example.name).blocks
    looked_up = [each for each in blocks if each.part and each.part.block in pages.FOLDED]

    assert {each.template for each in looked_up} == {"folded"}
    assert [each.caption for each in looked_up if each.part.block == "reports"]
    for each in looked_up:
        if each.part.block == "bench":
            assert "Goals of this run" in each.html
            assert "Recorded" in each.html
