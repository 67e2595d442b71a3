"""A database goes back to a backup of an hour ago: what is banned from then on refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
)

from . import (
    KNOWN_SECONDS,
    PROCESSES,
    Operator,
    late_after,
    processes_that,
    refused,
    sent_by,
    served,
    some_address,
    url,
)

# What the variants keep; the tables of a backup are read and written as pg_dump and pg_restore do.
TABLES = ("bans_ban", "bans_change", "bans_feed", "flights_blockedaddress")

NUMBERS = SQL(
    "SELECT setval(pg_get_serial_sequence({}, 'id'), coalesce(max(id), 0) + 1, false) FROM {}"
)


class ARestoreIsAnotherList(Experiment):
    """Ban, take a backup, ban others, restore it, and ban fewer, as many and more than were lost."""

    slug = "a-restore-is-another-list"
    claim = (
        "After a backup is restored, which sends the numbers of changes back, each process refuses within "
        "5 s who is banned from then on, and serves who was banned after the backup."
    )
    holds = ("shield",)
    refuted = ("polling",)
    wrong = Series("processes")
    asked = Series("processes")
    chart = Chart(wrong, "processes with another list than the database", mark="points", bound=0)
    parameters = (Parameter("lost", 6, 2, 100, "bans lost"),)

    DEADLINE_SECONDS = 5.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator, lost = Operator(stack, variant), int(params["lost"])
        target = url(stack, variant)
        wrong = asked = 0
        yield clock_starts()
        for again in (1, lost, 2 * lost):
            before, after = some_address(), [some_address() for _ in range(lost)]
            operator.ban(before)
            with restored(stack.services["postgres"]):
                for address in after:
                    operator.ban(address)
                for _ in processes_that(refused, target, sent_by(after[-1]), KNOWN_SECONDS):
                    pass
            new = [some_address() for _ in range(again)]
            for address in new:
                operator.ban(address)
            for address, accept in ((new[-1], refused), (after[-1], served), (before, refused)):
                asked += PROCESSES
                wrong += late_after(self.DEADLINE_SECONDS, accept, target, sent_by(address))
                yield self.asked(asked)
                yield self.wrong(wrong)
                if wrong >= PROCESSES:
                    return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {samples.last(self.asked):.0f} times a process had another list after 5 s"
        return Verdict.at_most(samples.last(self.wrong), 0, words)


@contextmanager
def restored(url: str) -> Iterator[None]:
    """Take a backup, and put it in the place of what the tables hold after the block."""
    with psycopg.connect(url) as database, database.cursor() as cursor:
        kept = {}
        for table in TABLES:
            with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                kept[table] = b"".join(map(bytes, copy))
    yield
    with psycopg.connect(url) as database, database.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica"
        )  # as pg_restore --disable-triggers does
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY")
        for table, rows in kept.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(rows)
            if table != "bans_change":
                # As pg_dump writes it: numbers go on from those of the backup.
                cursor.execute(NUMBERS.format(Literal(table), Identifier(table)))
