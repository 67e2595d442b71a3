"""Bans and feeds are written here: guarded, once, in the database, and on the stream once it has them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from shield import feeds
from shield.addresses import Network, parse_network
from shield.feeds import Import
from shield.run import Run, pack
from shield.snapshot import digest
from shield.table import TOP

from . import configured, publisher
from .models import Ban, Bans, Feed, Feeds

LOOPBACK = (parse_network("127.0.0.0/8"), parse_network("::1"))
WRITERS_LOCK = 7239  # which a trigger takes for who writes past this module, see schema.sql


class Refused(ValueError):
    """The ban would hurt those who must not be banned; the message says whom."""


def guard(network: Network) -> None:
    """Raise Refused if a ban of the network would be a mistake."""
    if network.length < TOP[network.version]:
        raise Refused(f"{network} is wider than /{TOP[network.version]}")
    if any(map(network.overlaps, LOOPBACK)):
        raise Refused(f"{network} contains loopback addresses")
    for proxy in configured.proxies().networks:
        if network.overlaps(proxy):
            raise Refused(f"{network} contains addresses of the trusted proxy {proxy}")


def add(network: Network, seconds: int | None = None) -> bool:
    """Ban a network for so long, or for good; return whether that is new.

    Of many who do the same at once one succeeds.

    Raises:
        Refused: see `guard`.
    """
    guard(network)
    with writing():
        same = bans_of(network)
        # Asked first: a violated constraint would put the network into PostgreSQL's log.
        if same.active().exists():
            return False
        same.update(lifted=Now())
        expires = timezone.now() + timedelta(seconds=seconds) if seconds else None
        Ban.objects.create(network=str(network), expires=expires)
        return True


def bans_of(network: Network) -> Bans:
    return Ban.objects.filter(network=str(network), kind=Ban.Kind.DENY, lifted=None)


def lift(network: Network) -> None:
    """Lift the ban of exactly this network."""
    with writing():
        bans_of(network).update(lifted=Now())


def import_feed(name: str, data: bytes, *, force: bool = False) -> Import:
    """Put a feed in the place of its last version, in one step; the last one stays if this cannot be right.

    Raises:
        Unfit: the list as a whole is refused.
    """
    protected = [network.span for network in configured.proxies().networks]
    result = feeds.read(data, protected)
    with writing():
        last = Feed.objects.defer("run").filter(name=name).first()
        if not force:
            feeds.check(result, last.networks if last else 0)
        values = {"networks": result.networks, "run": result.run}
        Feed.objects.defer("run").update_or_create(values, name=name)
        merge(name, result.run)
    return result


def drop_feed(name: str) -> None:
    with writing():
        if Feed.objects.filter(name=name).delete()[0]:
            merge(name)


def merge(name: str, *own: bytes) -> None:
    """Make one run of all feeds; *own* is that of the feed *name*, which is not read again."""
    others = Feed.objects.exclude(name=name).values_list("run", flat=True)
    packed = [*own, *map(bytes, others)]
    runs = [Run(memoryview(each)) for each in packed]
    networks = sum(run.networks for run in runs)
    # One feed is all of them as it is: a million networks are not sorted twice.
    merged = (
        packed[0] if len(packed) == 1 else pack((each for run in runs for each in run), networks)
    )
    values = {"networks": networks, "run": merged, "digest": digest(merged)}
    Feeds.objects.defer("run").update_or_create(values, pk=1)


@contextmanager
def writing() -> Iterator[None]:
    """Write one after the other, in one transaction; tell all processes once it is committed."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITERS_LOCK])
        yield
        transaction.on_commit(publisher.publish_soon)
