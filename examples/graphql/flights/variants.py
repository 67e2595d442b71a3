"""The ways, by name: the naive one first, then what is commonly installed, and the solution last."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings

from . import ariadne_cost, optimizer, priced, resolvers


@dataclass(frozen=True, slots=True)
class Variant:
    """One way.

    Attributes:
        page: how it is asked for so many rows of a list.
    """

    name: str
    about: str
    view: Callable[..., Any]
    page: str = "first: %s"


VARIANTS: tuple[Variant, ...] = (
    Variant("resolvers", "strawberry as its documentation begins", resolvers.view),
    Variant(
        "optimizer",
        "strawberry-django with its optimizer, limits of depth and of aliases",
        optimizer.view,
        "pagination: {limit: %s}",
    ),
    Variant("ariadne_cost", "ariadne with its validator of costs", ariadne_cost.view),
    Variant("priced", "batches, a price before anything runs, guards at the types", priced.view),
)
if settings.MINE:  # the reader's own: "Now you" in README.md
    VARIANTS += (Variant("mine", "your own", import_module(settings.MINE).VIEW),)
