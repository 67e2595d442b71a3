"""The list as PostgreSQL has it, read by the connection that Django keeps for each thread.

What a `shield.follower.Follower` asks of the truth; all of it may raise SourceDown.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, connection, models, transaction
from django.db.models.expressions import RawSQL
from shield.follower import SourceDown
from shield.replica import NO_FEEDS, Change, Replica

from .models import Ban, Feed
from .models import Change as Row

ROWS = 5_000  # that the database sends at a time
FIELDS = ("seq", "mark", "after")


def document(table: str) -> RawSQL:
    return RawSQL(f"bans_document({table})", [], models.JSONField())  # noqa: S611 -- names of ours


@contextmanager
def answering() -> Iterator[None]:
    try:
        yield
    except Error as error:
        connection.close()  # the next question opens another one
        raise SourceDown(f"PostgreSQL: {error}") from error


@answering()
def changes(since: int, most: int) -> list[Change]:
    rows = Row.objects.filter(seq__gte=since).order_by("seq").values_list(*FIELDS)
    return [Change(*row) for row in rows[:most]]


@answering()
def everything() -> Replica:
    with transaction.atomic(), connection.cursor() as cursor:
        # Everything is read as of one moment, or it would be no state that there ever was.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        seq, mark = Row.objects.order_by("-seq").values_list("seq", "mark").first() or (0, "")
        feeds = Feed.objects.filter(name="").values_list(document("bans_feed"), flat=True)
        found = Replica(seq, mark, feeds.first() or NO_FEEDS)
        bans = Ban.objects.values_list(document("bans_ban"), flat=True)
        for each in bans.iterator(ROWS):
            found.take_ban(each)
        return found


@answering()
def run_of(digest: str) -> bytes | None:
    """Return the run of all feeds; None if there is a later one by now."""
    query = "SELECT run FROM bans_feed WHERE name = '' AND md5(run) = %s"
    with connection.wrap_database_errors, connection.cursor() as cursor:
        # Binary: as text it would be several times its size.
        found = cursor.cursor.execute(query, [digest], binary=True).fetchone()
    return found and bytes(found[0])
