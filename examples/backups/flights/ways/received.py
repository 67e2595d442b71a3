"""The solution: base backups, the log received before a commit is acknowledged, and a restore each night."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from keep import log
from keep.base import first_segment, newest, retire, take
from keep.place import Place, Server
from restore.proof import proved

from . import replayed_base

keep = take
MOST = 2  # base backups: a restore from the older one has all the log of a day to replay


def begin(place: Place) -> None:
    log.reserve(place)


def processes(place: Place) -> Sequence[tuple[object, ...]]:
    return (log.receiver(place),)


def ready(place: Place) -> bool:
    """Have commits wait for the receiver once it is there: before that they would wait for nobody."""
    if not log.is_received(place):
        return False
    if not log.is_demanded(place):
        log.demand(place)
        return False
    return True


def check(place: Place) -> str:
    """Restore, and part with older ones only after a night that was good."""
    says = proved(place)
    retire(place, MOST)
    return says


@contextmanager
def restored(place: Place, folder: Path, until: str) -> Iterator[Server]:
    log.require_whole(log.folder(place), first_segment(newest(place, until)))
    with replayed_base(place, folder, until) as server:
        yield server
