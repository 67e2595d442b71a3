"""Seven ways to limit one view, from none to the solution."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from limiter.policy import RuleSet

from . import configured, django_ratelimit, drf_throttle, fixed_window
from .airports import Airport
from .callers import client_of
from .limited import limited
from .limits import RULES
from .throttle import TokenBucketThrottle

type View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to limit, and its limits in words, by rule set."""

    name: str
    about: str
    view: Callable[[str], View]
    limits: Mapping[str, str]

    @property
    def paths(self) -> dict[str, str]:
        """Return the path for each rule set; the default one is not part of its path."""
        parts = {rules: "" if rules == "airports" else f"{rules}/" for rules in self.limits}
        return {name: f"/api/{self.name}/{parts[name]}airports/{{code}}/" for name in parts}

    def describe(self) -> dict[str, object]:
        limits = [{"path": path, "limit": self.limits[name]} for name, path in self.paths.items()]
        return {"name": self.name, "about": self.about, "limits": limits}


def words(rules: RuleSet) -> str:
    limits = [f"burst {p.burst}, {p.rate.count} per {p.rate.seconds} s" for p in rules.policies]
    return "; ".join([*limits, f"{rules.on_failure} without Redis"])


def unlimited(_rules: str) -> View:
    return Airport.as_view()  # or limited before it is reached: LIMITED_PATHS in the settings


def token_bucket_drf(rules: str) -> View:
    throttle = type("Throttle", (TokenBucketThrottle,), {"rules": rules})
    return Airport.as_view(throttle_classes=[throttle])


def token_bucket_decorator(rules: str) -> View:
    return limited(configured.limiter(rules), client_of)(Airport.as_view())


OURS = {name: words(rules) for name, rules in RULES.items()}
VARIANTS: tuple[Variant, ...] = (
    Variant("unprotected", "no limit", unlimited, {"airports": "none"}),
    Variant(
        "drf_throttle",
        "stock AnonRateThrottle of Django REST framework over Django's RedisCache",
        drf_throttle.view,
        drf_throttle.RATES,
    ),
    Variant(
        "django_ratelimit",
        "the decorator of django-ratelimit over Django's RedisCache",
        django_ratelimit.view,
        django_ratelimit.RATES,
    ),
    Variant("fixed_window", "INCR and EXPIRE by hand", fixed_window.view, fixed_window.LIMITS),
    Variant("token_bucket", "the token bucket as middleware", unlimited, OURS),
    Variant("token_bucket_drf", "the token bucket as a throttle class", token_bucket_drf, OURS),
    Variant(
        "token_bucket_decorator", "the token bucket as a decorator", token_bucket_decorator, OURS
    ),
)
if settings.MINE:  # the reader's own: "Now you" in README.md
    mine = import_module(settings.MINE)
    VARIANTS += (Variant("mine", "your own", mine.view, dict.fromkeys(mine.LIMITS, "your own")),)
