"""Bans and feeds are written here: guarded, once, in the database, and on the stream once it has them."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from redis.exceptions import RedisError
from shield import feeds
from shield.addresses import Network, parse_network
from shield.feeds import Import
from shield.replica import Change as Applied
from shield.snapshot import digest

from bans import stream, wiring
from bans.models import Ban, Change, Feed

LOOPBACK = (parse_network("127.0.0.0/8"), parse_network("::1"))
WIDEST = {4: 16, 6: 32}  # bits: a wider ban is a mistake more often than an attack

WRITERS_LOCK = 7239  # which a trigger takes for who writes past this module, see schema.sql
PATIENCE_SECONDS = 0.25
REPLACE_FEED: LiteralString = (
    Path(__file__).with_name("sql").joinpath("replace_feed.sql").read_text()
)

_publisher = ThreadPoolExecutor(1, thread_name_prefix="publisher")
logger = logging.getLogger(__name__)


class Refused(ValueError):
    """The ban would hurt those who must not be banned; the message says whom."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes the list, and where from, so that nobody bans themselves."""

    name: str
    network: Network | None = None


def guard(
    network: Network, actor: Actor, kind: str = Ban.Kind.DENY, expires: datetime | None = None
) -> None:
    """Raise Refused if a ban of the network would be a mistake; an exception hurts nobody."""
    if expires is not None and expires <= timezone.now():
        raise Refused(f"it would be over already, since {expires:%Y-%m-%d %H:%M} UTC")
    if kind == Ban.Kind.ALLOW:
        return
    if network.length < WIDEST[network.version]:
        raise Refused(f"{network} is wider than /{WIDEST[network.version]}")
    for own in LOOPBACK:
        if network.overlaps(own):
            raise Refused(f"{network} contains loopback addresses")
    for proxy in wiring.proxies().networks:
        if network.overlaps(proxy):
            raise Refused(f"{network} contains addresses of the trusted proxy {proxy}")
    if actor.network and network.overlaps(actor.network):
        raise Refused(f"{network} contains your own address")


def add(network: Network, actor: Actor, **fields: Any) -> tuple[Ban, bool]:
    """Ban a network, or make it an exception; return the ban, and whether it is new.

    Of many who do the same at once one succeeds, and all get its ban.

    Raises:
        Refused: see `guard`.
    """
    kind = fields.get("kind", Ban.Kind.DENY)
    guard(network, actor, kind, fields.get("expires"))
    with written_by(actor):
        # Looked for before it is made: a violated constraint would put the network into PostgreSQL's log.
        if found := Ban.objects.active().filter(network=str(network), kind=kind).first():
            return found, False
        return Ban.objects.create(network=str(network), **fields), True


def alter(ban: Ban, actor: Actor, **fields: Any) -> None:
    """Change what a ban refuses, for how long, or why; not whom."""
    with written_by(actor):
        Ban.objects.filter(pk=ban.pk, lifted=None).update(**fields)


def lift(bans: Sequence[int], actor: Actor) -> int:
    """Lift bans by id; return how many were not lifted yet."""
    with written_by(actor):
        return Ban.objects.filter(pk__in=bans, lifted=None).update(lifted=Now())


def lift_network(network: Network, actor: Actor, kind: str = Ban.Kind.DENY) -> int:
    """Lift the ban of exactly this network; return how many there were, 0 or 1."""
    found = Ban.objects.filter(network=str(network), kind=kind, lifted=None)
    return lift(list(found.values_list("pk", flat=True)), actor)


def import_feed(
    name: str, lines: Iterable[str], actor: Actor, *, expires: datetime | None = None
) -> tuple[Feed, Import]:
    """Put a feed in the place of its last version, in one step; the last one stays if this cannot be right.

    Raises:
        Unfit: the list as a whole is refused.
    """
    result = feeds.read(lines, wiring.proxies().networks)
    with written_by(actor):
        last = Feed.objects.select_for_update().defer("run").filter(name=name).first()
        feeds.check(result, last.networks if last else 0)
        fields = {
            "name": name,
            "networks": result.networks,
            "digest": digest(result.run),
            "run": result.run,
            "expires": expires,
        }
        # Django would write the run into the statement as text, several times its size.
        with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
            cursor.execute(REPLACE_FEED, fields)
        feed = Feed.objects.defer("run").get(name=name)
    return feed, result


def drop_feed(name: str, actor: Actor) -> None:
    """Empty a feed; its row stays, for its versions count on."""
    with written_by(actor):
        Feed.objects.filter(name=name, networks__gt=0).update(
            version=F("version") + 1, networks=0, digest="", run=b""
        )


@contextmanager
def written_by(actor: Actor) -> Iterator[None]:
    """Write as *actor*, one after the other, in one transaction; tell all processes once it is committed."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('bans.actor', %s, true), pg_advisory_xact_lock(%s)",
                [actor.name, WRITERS_LOCK],
            )
        yield
        transaction.on_commit(publish_soon)


def publish_soon() -> None:
    """Publish in another thread, and wait a moment for it: a Redis that is gone must not hold a request."""
    wait([_publisher.submit(_publish)], timeout=PATIENCE_SECONDS)


def _publish() -> None:
    try:
        publish()
    finally:
        connection.close()  # this thread's


def publish() -> None:
    """Append to the stream what it does not have yet; without Redis the processes ask the database."""
    try:
        name = epoch()
        last = stream.latest(wiring.redis(), name)
        newer = Change.objects.filter(seq__gt=last).order_by("-seq")[: stream.KEPT]
        changes = [Applied(each.seq, each.after) for each in reversed(newer)]
        stream.publish(wiring.redis(), name, changes)
    except RedisError as error:
        logger.warning("a change was committed, but Redis does not answer: %s", error)


def epoch() -> str:
    """Return which list this is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id::text FROM bans_epoch")
        return str(cursor.fetchone()[0])
