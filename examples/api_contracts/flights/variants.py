"""The ways, by name: what is written first, what seems to mend it, and the solution last."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings

from . import changed_in_place, generated, if_match_read, kept


@dataclass(frozen=True, slots=True)
class Variant:
    """One way.

    Attributes:
        urlpatterns: its routes, below `/api/<name>/`.
        release: the contract that it was written by; None, if its contract is made from the code.
    """

    name: str
    about: str
    urlpatterns: Sequence[Any]
    release: str | None = None


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "generated", "view sets, and the contract that comes out of them", generated.urlpatterns
    ),
    Variant(
        "if_match_read",
        "the same, with a version that is compared before it is saved",
        if_match_read.urlpatterns,
    ),
    Variant(
        "changed_in_place",
        "the solution, released as if every client were released with it",
        changed_in_place.urlpatterns,
        changed_in_place.RELEASE,
    ),
    Variant(
        "kept",
        "a contract that requests are read by, and that old clients can rely on",
        kept.urlpatterns,
        kept.RELEASE,
    ),
)
if settings.MINE:  # the reader's own: "Now you" in README.md
    mine = import_module(settings.MINE)
    VARIANTS += (Variant("mine", "your own", mine.urlpatterns, getattr(mine, "RELEASE", None)),)
