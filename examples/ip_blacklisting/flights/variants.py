"""Seven guards before the same endpoint, from the usual middleware to the solution."""

from dataclasses import dataclass
from importlib import import_module

from django.conf import settings

from .guards import Guard
from .guards.bisect import Bisect
from .guards.blocklist_package import BlocklistPackage
from .guards.ipware_ratelimit import IpwareRatelimit
from .guards.leftmost import Leftmost
from .guards.polling import Polling
from .guards.pubsub import PubSub
from .guards.shield import Shield


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    about: str
    guard: Guard


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("leftmost", "first hop of X-Forwarded-For, a query for each request", Leftmost()),
        Variant("pubsub", "a set in each process, told by Pub/Sub", PubSub()),
        Variant(
            "polling", "a set in each process, which asks for rows with higher numbers", Polling()
        ),
        Variant("bisect", "sorted ranges and one bisection, replaced as a whole", Bisect()),
        Variant("blocklist_package", "django-blocklist's middleware", BlocklistPackage()),
        Variant("ipware_ratelimit", "django-ipware and django-ratelimit", IpwareRatelimit()),
        Variant("shield", "trusted proxies, and a list in each process's memory", Shield()),
    )
}
if settings.MINE:  # the reader's own: "Now you" in README.md
    VARIANTS["mine"] = Variant("mine", "your own", import_module(settings.MINE).GUARD)
