"""Two detectors before the same endpoints: that of most tutorials, and the solution."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from detector.detector import Detector
from detector.fetch_metadata import Asked, asked
from django.conf import settings
from django.http import HttpRequest
from kept.keeper import Pipeline

from . import thresholds


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to tell attackers from people.

    Attributes:
        asked: how a request came about.
        path: what of its address is noted.
        pipeline: makes what becomes of its sightings.
    """

    name: str
    about: str
    asked: Callable[[HttpRequest], Asked]
    path: Callable[[HttpRequest], str]
    pipeline: Callable[[], Pipeline]


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant(
            "thresholds",
            "30 requests or 5 wrong passwords in ten seconds, or one trap; a log of hashes",
            lambda _request: "by a program",
            lambda request: f"{request.path}?{request.META['QUERY_STRING']}",
            lambda: Pipeline(thresholds.Thresholds(), thresholds.keep, thresholds.found, True),
        ),
        Variant(
            "detector",
            "points that fade, accounts that fail, rates among peers; a log that forgets",
            lambda request: asked(request.method or "", request.headers),
            lambda request: request.path,
            lambda: Pipeline(Detector()),
        ),
    )
}
SOLUTION = "detector"
if settings.MINE:  # the reader's own: "Now you" in README.md
    mine = import_module(settings.MINE)
    VARIANTS["mine"] = Variant("mine", "your own", mine.asked, mine.path, mine.pipeline)
    mine.pipeline()  # what fails in it does so here, where it is told, and not in the keeper
