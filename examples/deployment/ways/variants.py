"""The ways of operating this service: what is done first, what is commonly done, and the solution last."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from releases import Refused

from . import blue_green, recreate, reload, rolling_nginx, script, start_then_stop
from .crew import Crew

HAPROXY, NGINX, NOTHING = "haproxy", "nginx", ""


def nothing(_: Crew) -> None:
    """There is nothing to prepare."""


@dataclass(frozen=True)
class Variant:
    """One way to bring a release to its clients.

    Attributes:
        change: replaces the live release by the one in a folder.
        begin: makes ready what the way needs, once one release is live.
        route: sends requests to another port, while both releases run.
        front: what stands in front of the releases.
        weights: what the proxy begins with, of the live release and of the other.
        smoke, trial: whether a release is asked before, and tried out.
        environment: of its releases.
    """

    name: str
    about: str
    change: Callable[[Crew, str], None]
    begin: Callable[[Crew], None] = nothing
    route: Callable[[Crew, int], None] | None = None
    front: str = HAPROXY
    weights: tuple[int, int] = (100, 0)
    smoke: bool = False
    trial: bool = False
    checks: bool = False
    drain_seconds: float = 30
    grace_seconds: float = 10
    environment: Mapping[str, str] = field(default_factory=dict)


ALL = {"change": blue_green.change, "route": blue_green.route}
GATED = {"smoke": True, "trial": True, "checks": True}


def _variants() -> tuple[Variant, ...]:
    found: tuple[Any, ...] = (
        Variant("recreate", "stop the old release, then start the new one", recreate.change, front=NOTHING),
        Variant("rolling_nginx", "restart two replicas in turn behind nginx with its defaults",
                rolling_nginx.change, rolling_nginx.begin, front=NGINX),
        Variant("start_then_stop", "start the new release, then stop the old one at once",
                start_then_stop.change, weights=(100, 100)),
        Variant("reload", "start the new release, reload nginx, then stop the old one",
                reload.change, route=reload.route, front=NGINX),
        Variant("short_grace", "blue_green without draining, and half a second to stop", drain_seconds=0, grace_seconds=0.5, **ALL),
        Variant("healthz_only", "blue_green with a health check and no other gate", **ALL),
        Variant("as_usual", "blue_green with the settings as they are commonly written", **ALL,
                environment={"DJANGO_SETTINGS_MODULE": "config.as_usual"}),
        Variant("script", "the steps of blue_green in a script without a journal", script.change),
        Variant("blue_green", "start, gate, try out, switch, drain, stop", **ALL, **GATED),
    )
    return found


def of(name: str) -> Variant:
    """Return the variant called `name`.

    Raises:
        Refused: there is none.
    """
    for each in VARIANTS:
        if each.name == name:
            return each
    raise Refused(f"there is no way {name!r}; there are: {', '.join(each.name for each in VARIANTS)}")


VARIANTS = _variants()
