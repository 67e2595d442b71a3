"""The pages of the lab. What they show is in `pages`; what they start and stop is in `actions`."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.static import serve

from nexus import catalog, hub
from nexus.catalog import UnknownName
from nexus.lab import access, pages, search, source
from nexus.lab import hub as hub_pages


def home(request: HttpRequest) -> HttpResponse:
    """Every example as a card."""
    return render(request, "lab/home.html", home_context() | _live(request))


def example(request: HttpRequest, name: str) -> HttpResponse:
    """One example: write-up, code, claims."""
    return render(request, "lab/example.html", example_context(_page(name)) | _live(request))


def operating(request: HttpRequest, name: str) -> HttpResponse:
    """How to operate an example."""
    page = _page(name).operating
    if page is None:
        raise Http404(f"{name} has no OPERATING.md.")
    return render(request, "lab/example.html", example_context(page) | _live(request))


def file(request: HttpRequest, name: str, path: str) -> HttpResponse:
    """One source file. The path is looked up among the example's files, never opened."""
    page = _page(name)
    if path not in page.files:
        raise Http404(f"{page.document.title} has no file {path}.")
    return render(request, "lab/file.html", file_context(page, path) | _live(request))


def hub_page(request: HttpRequest, path: str) -> HttpResponse:
    """One page of the hub. The path is looked up among its pages, never opened."""
    for written in hub.paths():
        if hub.address(written) == path:
            context = hub_context(hub_pages.HubPage(written))
            return render(request, "lab/hub.html", context | _live(request))
    raise Http404(f"The hub has no page {path}.")


def search_index(_request: HttpRequest) -> HttpResponse:
    """What can be found, as the script that a page loads when somebody searches."""
    return HttpResponse(search.script(), content_type="text/javascript; charset=utf-8")


def static(request: HttpRequest, path: str) -> HttpResponse:
    """Serve a file of the lab's own, whole: piece by piece, Django warns that it has to wait for the disk."""
    found = serve(request, path, document_root=settings.STATIC_ROOT)
    if isinstance(found, HttpResponse):  # 304
        return found
    answer = HttpResponse(found.getvalue(), headers=dict(found.headers))
    found.close()
    return answer


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that there is no such page, and list those that there are."""
    context: dict[str, Any] = {"cards": pages.home(), "path": request.path, "page": None}
    said = exception.args[0] if exception and exception.args else ""
    context["reason"] = said if isinstance(said, str) else ""
    name = request.path.strip("/").partition("/")[0]
    if name in {each.name for each in catalog.examples()}:
        context["page"] = pages.page(name)
    # It may stand at any depth: links are absolute.
    context |= _live(request) | {"root": "/"}
    return render(request, "lab/missing.html", context, status=404)


def home_context(index: str = "") -> dict[str, Any]:
    """What the home page shows, live or exported."""
    return {"cards": pages.home(), "wishes": hub_pages.wishes(index)}


def hub_context(page: hub_pages.HubPage) -> dict[str, Any]:
    """What a page of the hub shows, live or exported."""
    return {"page": page, "part": page.part}


def example_context(page: pages.Page) -> dict[str, Any]:
    """What the page of an example shows, live or exported."""
    return {"page": page}


def file_context(page: pages.Page, path: str) -> dict[str, Any]:
    """What the page of a source file shows, live or exported."""
    found = page.files[path]
    tree = source.around(page.tree, path)
    return {"page": page, "file": found, "tree": tree, "code": found.html(page.anchors(path))}


def _page(name: str) -> pages.Page:
    try:
        return pages.page(name)
    except UnknownName as error:
        raise Http404(str(error)) from None


def _live(request: HttpRequest) -> dict[str, Any]:
    depth = request.path.count("/") - 1
    return {"live": access.holds_key(request), "root": "../" * depth, "index": "", "served": True}
