"""Eight guards before the same three endpoints, from the usual middleware to the solution."""

from dataclasses import dataclass

from flights.guards import Guard
from flights.guards.bisect import Bisect
from flights.guards.blocklist_package import BlocklistPackage
from flights.guards.ipware_ratelimit import IpwareRatelimit
from flights.guards.leftmost import Cached, Leftmost
from flights.guards.pubsub import PubSub
from flights.guards.shield import Shield


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    about: str
    guard: Guard


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("leftmost", "first hop of X-Forwarded-For, a query for each request", Leftmost()),
        Variant("redis_cache", "the same behind Django's RedisCache", Cached("default")),
        Variant("local_cache", "the same behind a cache of each process", Cached("local")),
        Variant("pubsub", "a set in each process, told by Pub/Sub", PubSub()),
        Variant("bisect", "sorted ranges and one bisection, replaced as a whole", Bisect()),
        Variant("blocklist_package", "django-blocklist's middleware", BlocklistPackage()),
        Variant("ipware_ratelimit", "django-ipware and django-ratelimit", IpwareRatelimit()),
        Variant("shield", "trusted proxies, and a list in each process's memory", Shield()),
    )
}
