"""Writes the lab's pages as static files: the same templates, recorded charts, nothing to run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
from django.template.loader import render_to_string

from nexus import catalog, hub

ASSETS = ("lab.css", "lab.js", "search.js", "first.js", "icon.svg")
INDEX = "index.html"
# Without it some hosts would leave out files that begin with an underscore.
MARKER = ".nojekyll"


def export(target: Path) -> int:
    """Write every page below `target` and return how many; what an earlier export left there goes.

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
        count = _write(draft)
        if target.exists():
            shutil.rmtree(target)
        draft.chmod(0o755)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return count


def _write(folder: Path) -> int:
    (folder / MARKER).touch()
    static = folder / "static" / "lab"
    static.mkdir(parents=True)
    for name in ASSETS:
        shutil.copy(Path(__file__).parent / "static" / "lab" / name, static / name)
    from nexus.lab import search  # needs Django's settings

    (folder / search.NAME).write_text(search.script(INDEX), encoding="utf-8")
    count = 0
    for path, template, context in _pages():
        page = folder / path
        page.parent.mkdir(parents=True, exist_ok=True)
        root = "../" * path.count("/")
        page.write_text(
            render_to_string(template, {**context, "root": root, "index": INDEX}), encoding="utf-8"
        )
        count += 1
    return count


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
