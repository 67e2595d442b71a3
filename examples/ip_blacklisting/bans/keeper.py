"""What one process does for all, and no other: a second keeper waits until the first is gone.

Keeps scores, looks for slow attackers, sends what nobody sent, writes the list to disk, forgets.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from redis.exceptions import RedisError
from shield.addresses import Address, Network, account
from shield.follower import SourceDown
from shield.matcher import Scope
from shield.scores import Detector, Verdict
from shield.terms import term_seconds

from bans import forgetting, ledger, sightings, slow, stream, watch, wiring
from bans.ledger import Actor, Refused
from bans.models import Ban
from bans.slow import Parts
from bans.truth import PostgresTruth
from bans.watch import Seen

WAIT_SECONDS = 0.1
STANDBY_SECONDS = 1.0
SECONDS = {
    "snapshot": 5.0,  # the oldest list that a process can start from while nothing answers
    "scan": 60.0,
    "verify": 30.0,
    "forget": 3_600.0,
}
DETECTOR = Actor("detector")

logger = logging.getLogger(__name__)


class Keeper:
    """One pass of `step` looks after everything that is due."""

    def __init__(self) -> None:
        self.truth = PostgresTruth(settings.DATABASE_URL)
        self.copy = wiring.copy_of(self.truth)
        self.redis = stream.connect(settings.REDIS_URL, timeout_seconds=1.0)
        self.detector = Detector()
        self.epoch = ""
        self.seq = -1
        self.slow: Mapping[str, Parts] = {}
        duties = (self.snapshot, self.verify, self.scan, self.forget)
        self.due = dict.fromkeys(duties, 0.0)

    def step(self) -> None:
        """Do what is due; a service that does not answer is asked again the next time."""
        close_old_connections()
        try:
            if not self.truth.lead():
                time.sleep(STANDBY_SECONDS)
                return
            self.follow(self.truth.epoch())
            self.watch()
            ledger.publish()
            for duty, due in self.due.items():
                if time.monotonic() >= due:
                    self.due[duty] = time.monotonic() + SECONDS[duty.__name__]
                    duty()
        except (SourceDown, DatabaseError) as error:
            logger.warning("waiting: %s", error)
            time.sleep(WAIT_SECONDS)

    def follow(self, epoch: str) -> None:
        """Begin anew where the database has become another one: one that was restored, say."""
        if epoch != self.epoch:
            self.epoch, self.seq, self.slow = epoch, -1, {}
            self.due = dict.fromkeys(self.due, 0.0)

    def watch(self) -> None:
        """Score what was seen, ban who attacks, and note who did what under a pseudonym."""
        try:
            seen = watch.receive(self.redis, self.epoch, WAIT_SECONDS)
        except RedisError:
            time.sleep(WAIT_SECONDS)
            return
        self.judge(seen)
        for client, who in sightings.note(seen).items():
            if parts := self.slow.get(client):
                ban(slow.verdict(who, parts))

    def judge(self, seen: Sequence[Seen]) -> None:
        for each in seen:
            if verdict := self.detector.observe(each.event):
                ban(verdict)

    def scan(self) -> None:
        self.slow = slow.scan(timezone.now())

    def forget(self) -> None:
        forgetting.forget(timezone.now())

    def snapshot(self) -> None:
        """Write the list to disk if it has changed; from a copy, for a million rows are not read twice."""
        self.copy.catch_up()
        if self.copy.replica.seq != self.seq:
            last = self.copy.replica.snapshot()
            last.write(wiring.folder())
            self.seq = last.seq

    def verify(self) -> None:
        self.copy.verify()


def ban(verdict: Verdict) -> None:
    """Ban whom the detector has found: for longer each time, and the second time from everything.

    A time counts once it is over; who was let go before has been banned by mistake.
    """
    now = timezone.now()
    name = str(verdict.network)
    before = Ban.objects.filter(network=name, source="detector", expires__lte=now)
    ages = [(now - starts).total_seconds() for starts in before.values_list("starts", flat=True)]
    again = bool(ages) and verdict.network == lone(verdict.network)
    fields = {
        "scope": Scope.FULL.name.lower() if again else verdict.scope.name.lower(),
        "reason": verdict.reason,
        "evidence": verdict.parts,
        "expires": now + timedelta(seconds=term_seconds(ages)),
    }
    try:
        made, new = ledger.add(verdict.network, DETECTOR, source="detector", **fields)
    except Refused as error:
        logger.warning("an attack is not banned: %s", error)
        return
    if not new and made.source == "detector" and Ban.Scope.FULL == fields["scope"] != made.scope:
        ledger.alter(made, DETECTOR, **fields)


def lone(network: Network) -> Network:
    """Return the client of a network's first address: of a whole /24 many are nobody's attackers."""
    return account(Address(network.version, network.value))
