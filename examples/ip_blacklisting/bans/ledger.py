"""Bans and feeds are written here: guarded, once, in the database; the bell rings once it has them."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction
from redis.exceptions import RedisError
from shield import feeds
from shield.addresses import Network, parse_network
from shield.feeds import Import
from shield.run import Run, pack

from . import bell, configured
from .models import Ban, Feed

WIDEST_BAN = 16, 32  # bits of the prefix, of IPv4 and of IPv6
NOBODYS = [parse_network(text) for text in ("127.0.0.0/8", "0.0.0.0/8", "::/8")]
WRITERS_LOCK = 7239  # which a trigger takes for who writes past this module, see schema.sql
PATIENCE_SECONDS = 0.25

_ringer = ThreadPoolExecutor(1, thread_name_prefix="ringer")
logger = logging.getLogger(__name__)


class Refused(ValueError):
    """The ban would hurt those who must not be banned; the message says whom."""


def guard(network: Network) -> None:
    """Raise Refused if a ban of the network would be a mistake."""
    if network.is_wider_than(*WIDEST_BAN):
        raise Refused(f"{network} is wider than /16, or /32 of IPv6")
    if any(map(network.overlaps, NOBODYS)):
        raise Refused(f"{network} contains loopback addresses, or such as nobody has")
    for proxy in configured.proxies().networks:
        if network.overlaps(proxy):
            raise Refused(f"{network} contains addresses of the trusted proxy {proxy}")


def add(network: Network, expires: datetime | None = None) -> None:
    """Ban a network until then, or for good; of many who do the same at once one succeeds.

    Raises:
        Refused: see `guard`.
    """
    guard(network)
    with writing():
        # The row is not read: psql may have written an end that Python has no number for.
        Ban.objects.bulk_create(
            [Ban(network=str(network), kind=Ban.Kind.DENY, expires=expires)],
            update_conflicts=True,
            update_fields=["expires"],
            unique_fields=["network", "kind"],
        )


def lift(network: Network) -> None:
    """Lift the ban of exactly this network."""
    with writing():
        Ban.objects.filter(network=str(network), kind=Ban.Kind.DENY).delete()


def import_feed(name: str, data: bytes, *, force: bool = False) -> Import:
    """Put a feed in the place of its last version, in one step; the last one stays if this cannot be right.

    Raises:
        Unfit: the list as a whole is refused.
    """
    result = feeds.read(data, [proxy.span for proxy in configured.proxies().networks])
    with writing():
        last = Feed.objects.defer("run").filter(name=name).first()
        if not force:
            feeds.check(result, last.networks if last else 0)
        values = {"networks": result.networks, "run": result.run}
        Feed.objects.defer("run").update_or_create(values, name=name)
        others = Feed.objects.exclude(name__in=(name, "")).values_list("networks", "run")
        merge([(result.networks, result.run), *others])
    return result


def merge(feeds: list[tuple[int, bytes | memoryview]]) -> None:
    """Make one run of all feeds, of which each is so many networks and its run."""
    some = [run for networks, run in feeds if networks]
    # One feed is all of them as it is: a million networks are not sorted twice.
    merged = some[0] if len(some) == 1 else pack(each for run in some for each in Run(run))
    values = {"networks": sum(networks for networks, _ in feeds), "run": merged}
    Feed.objects.defer("run").update_or_create(values, name="")


@contextmanager
def writing() -> Iterator[None]:
    """Write one after the other, in one transaction; ring in all processes once it is committed."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITERS_LOCK])
        yield
        transaction.on_commit(ring_soon)


def ring_soon() -> None:
    """Ring in another thread, and wait a moment for it: a name that is gone takes many seconds to fail."""
    wait([_ringer.submit(ring)], timeout=PATIENCE_SECONDS)


def ring() -> None:
    try:
        bell.ring(configured.redis())
    except RedisError as error:
        logger.warning("a change was committed, but Redis does not answer: %s", error)
