"""Seven ways to limit one view, from none to the solution."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge import configured
from edge.decorator import limited
from edge.throttle import TokenBucketThrottle

from . import django_ratelimit, drf_throttle, fixed_window
from .views import Airport

type View = Callable[..., Any]

TOKEN_BUCKET_RULES = ("airports", "strict", "steady", "open", "closed", "bulk", "tiered", "shadow")


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to limit, and its limits; None where `flights.limits` has them."""

    name: str
    about: str
    view: Callable[[str], View]
    limits: Mapping[str, str] | None = None

    @property
    def paths(self) -> dict[str, str]:
        """Return the path for each rule set; the default one is not part of its path."""
        names = self.limits or TOKEN_BUCKET_RULES
        parts = {rules: "" if rules == "airports" else f"{rules}/" for rules in names}
        return {
            rules: f"/api/{self.name}/{part}airports/{{code}}/" for rules, part in parts.items()
        }

    def describe(self) -> dict[str, object]:
        return {
            "name": self.name,
            "about": self.about,
            "rules": [
                {
                    "name": rules,
                    "path": path,
                    "policies": [self.limits[rules]] if self.limits else configured.describe(rules),
                }
                for rules, path in self.paths.items()
            ],
        }


def unprotected(_rules: str) -> View:
    return Airport.as_view()


def token_bucket(_rules: str) -> View:
    return Airport.as_view()  # limited before it is reached: LIMITED_PATHS in the settings


def token_bucket_drf(rules: str) -> View:
    return Airport.as_view(throttle_classes=[lambda: TokenBucketThrottle(rules)])


def token_bucket_decorator(rules: str) -> View:
    return limited(rules)(Airport.as_view())


VARIANTS = (
    Variant("unprotected", "no limit", unprotected, {"airports": "none"}),
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
    Variant("token_bucket", "the token bucket as middleware", token_bucket),
    Variant("token_bucket_drf", "the token bucket as a throttle class", token_bucket_drf),
    Variant("token_bucket_decorator", "the token bucket as a decorator", token_bucket_decorator),
)
