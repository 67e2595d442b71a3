"""Writes the lab's pages as static files: the same templates, recorded charts, nothing to run."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
import vl_convert
from django.template.loader import render_to_string

from nexus import catalog, hub

ASSETS = ("lab.css", "lab.js", "search.js", "first.js", "icon.svg")
INDEX = "index.html"
PICTURE = "social.png"
EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="315"/>'
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
# Without it some hosts would leave out files that begin with an underscore.
MARKER = ".nojekyll"


def export(target: Path, url: str = "") -> int:
    """Write every page below `target` and return how many; what an earlier export left there goes.

    Args:
        url: where it will be served. Pages do without; whoever links to them, or lists them, cannot.

    Raises:
        ValueError: `target` holds something that no export wrote.
    """
    if target.exists() and any(target.iterdir()) and not (target / MARKER).exists():
        raise ValueError(f"{target.name}/ holds files of somebody else; move them away first.")
    os.environ["DJANGO_SETTINGS_MODULE"] = "nexus.lab.settings"
    django.setup()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that it is replaced in one step, and an error leaves the old one.
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        count = _write(draft, url and url.rstrip("/") + "/")
        if target.exists():
            shutil.rmtree(target)
        draft.chmod(0o755)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return count


def _write(folder: Path, url: str) -> int:
    (folder / MARKER).touch()
    static = folder / "static" / "lab"
    static.mkdir(parents=True)
    for name in ASSETS:
        shutil.copy(Path(__file__).parent / "static" / "lab" / name, static / name)
    from nexus.lab import search  # needs Django's settings

    (folder / search.NAME).write_text(search.script(INDEX), encoding="utf-8")
    (folder / PICTURE).write_bytes(_picture())
    written = []
    for path, template, context in _pages():
        page = folder / path
        page.parent.mkdir(parents=True, exist_ok=True)
        context |= {"root": "../" * path.count("/"), "index": INDEX}
        context |= {"site": url, "place": _place(path), "picture": PICTURE}
        page.write_text(render_to_string(template, context), encoding="utf-8")
        written.append(path)
    if url:
        listed = (
            f"<url><loc>{url}{quote(_place(path))}</loc></url>"
            for path in written
            if "/files/" not in path
        )
        sitemap = [
            "<?xml version='1.0' encoding='utf-8'?>",
            f"<urlset xmlns='{SITEMAPS}'>",
            *listed,
        ]
        (folder / "sitemap.xml").write_text("\n".join([*sitemap, "</urlset>\n"]), encoding="utf-8")
    return len(written)


def _place(path: str) -> str:
    """Return where a page is served: that of a folder at the folder's own address."""
    return path.removesuffix(INDEX) if path.rpartition("/")[2] == INDEX else path


def _picture() -> bytes:
    """Return what stands for the site where somebody links to it: the chart on the front page, as PNG."""
    readme = (catalog.ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r'<img src="(results/[^"]+)"', readme)
    drawn = (catalog.ROOT / found[1]).read_text(encoding="utf-8") if found else EMPTY
    paper = drawn.replace("<title>", '<rect width="100%" height="100%" fill="#fbfaf7"/><title>', 1)
    return vl_convert.svg_to_png(paper, scale=2)


def _pages() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, template and context of every page."""
    from nexus.lab import pages, views
    from nexus.lab.hub import HubPage  # needs Django's settings

    yield INDEX, "lab/home.html", views.home_context(INDEX)
    for written in hub.paths():
        context = views.hub_context(HubPage(written, INDEX))
        yield hub.address(written, INDEX), "lab/hub.html", context
    for example in catalog.examples():
        page = pages.page(example.name, INDEX)
        yield f"{page.name}/{INDEX}", "lab/example.html", views.example_context(page)
        if page.operating:
            context = views.example_context(page.operating)
            yield f"{page.name}/operating.html", "lab/example.html", context
        for path in page.files:
            context = views.file_context(page, path)
            yield f"{page.name}/files/{path}.html", "lab/file.html", context
