"""The ways of operating this service: what is done first, what is commonly done, and the solution last."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module

from django.conf import settings

from . import usual
from .crew import Crew

HAPROXY, NGINX = "haproxy", "nginx"


@dataclass(frozen=True)
class Variant:
    """One way to bring a release to its clients.

    Attributes:
        change: replaces the live release by the one in a folder.
        front: what stands in front of the releases.
        weights: what the proxy begins with, of the live release and of the other.
        gated: whether a release has to pass checks, smoke requests and a trial.
        environment: of its releases.
    """

    name: str
    about: str
    change: Callable[[Crew, str], None] = Crew.replace_live
    front: str = HAPROXY
    weights: tuple[int, int] = (100, 0)
    gated: bool = False
    drain_seconds: float = 30
    grace_seconds: float = 10
    environment: Mapping[str, str] = field(default_factory=dict)


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "recreate",
        "stop the old release, then start the new one",
        usual.recreate,
        front=NGINX,
    ),
    Variant(
        "rolling_nginx",
        "restart two replicas in turn behind nginx with its defaults",
        usual.rolling_nginx,
        front=NGINX,
    ),
    Variant(
        "start_then_stop",
        "start the new release, then stop the old one at once",
        usual.start_then_stop,
        weights=(100, 100),
    ),
    Variant(
        "reload",
        "start the new release, reload nginx, then stop the old one",
        usual.reload,
        front=NGINX,
    ),
    Variant(
        "short_grace",
        "blue_green without draining, and half a second to stop",
        drain_seconds=0,
        grace_seconds=0.5,
    ),
    Variant("healthz_only", "blue_green with a health check and no other gate"),
    Variant(
        "as_usual",
        "blue_green behind /healthz alone, with settings as they are commonly written",
        environment={"DJANGO_SETTINGS_MODULE": "config.settings_as_usual"},
    ),
    Variant("script", "the steps of blue_green in a script without a journal", usual.script),
    Variant("blue_green", "start, gate, try out, switch, drain, stop", gated=True),
)
SOLUTION = VARIANTS[-1].name
if settings.MINE:  # the reader's own: "Now you" in README.md
    mine = import_module(settings.MINE)
    VARIANTS += (Variant("mine", "your own", mine.change, **mine.OPERATED),)


def of(name: str) -> Variant:
    """Return the variant called `name`."""
    return next(each for each in VARIANTS if each.name == name)
