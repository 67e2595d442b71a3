"""After each migration, send what both releases around it send.

A release that writes a row and one that reads it have to agree on its minutes.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

import psycopg
from psycopg import sql

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    expect,
)

from . import PATIENCE_SECONDS, connect

# What a release of the code sends, which knows the minutes by the name of one column.
INSERT = sql.SQL("INSERT INTO {table} (flight_id, {column}) VALUES (%(id)s, 17)")
INSERT_CAUSE = sql.SQL("INSERT INTO {table} (flight_id, {column}, cause) VALUES (%(id)s, 17, '')")
SELECT = sql.SQL("SELECT {column} FROM {table} WHERE flight_id = %(id)s")
SELECT_CAUSE = sql.SQL("SELECT {column}, cause FROM {table} WHERE flight_id = %(id)s")
UPDATE = sql.SQL("UPDATE {table} SET {column} = 42 WHERE flight_id = %(id)s")


class Release(NamedTuple):
    """A release of the code: what it calls the minutes, and whether it knows the cause."""

    minutes: str
    cause: bool


FIRST, RENAMED, LAST = (
    Release("late", cause=True),
    Release("delay_minutes", cause=True),
    Release("delay_minutes", cause=False),
)
BY_COLUMNS = {"late, cause": FIRST, "delay_minutes, cause": RENAMED, "delay_minutes": LAST}
type Plan = Mapping[str, tuple[Release, Release]]
# Migration -> the release that runs while it is made, and the one that is deployed after it.
PLANS: Mapping[str, Plan] = {
    "in_place": {
        "0001": (FIRST, FIRST),
        "0002": (FIRST, RENAMED),
        "0003": (RENAMED, LAST),
    },
    "expand_contract": {
        "0001": (FIRST, FIRST),
        "0002": (FIRST, FIRST),
        "0003": (FIRST, FIRST),
        "0004": (FIRST, RENAMED),
        "0005": (RENAMED, RENAMED),
        "0006": (RENAMED, LAST),
    },
}


def plan(stack: Stack, variant: str) -> Plan:
    """Return the plan of a variant: the service tells that of a reader's own.

    Raises:
        ExperimentError: it does not lead to code that knows `delay_minutes` alone.
    """
    if variant in PLANS:
        return PLANS[variant]
    told = json.loads(expect(ask(f"{stack.url}/api/", {}, PATIENCE_SECONDS), 200).body)
    code = [code for each in told["variants"] if each["name"] == variant for code in each["code"]]
    releases = [FIRST, FIRST, *(BY_COLUMNS.get(each, FIRST) for each in code)]
    if releases[-1] != LAST:
        raise ExperimentError("the code after the last of STEPS has to be `delay_minutes`")
    return {f"{place:04}": around for place, around in enumerate(pairwise(releases), 1)}


class OldCodeKeepsWorking(Experiment):
    slug = "old-code-keeps-working"
    claim = (
        "After each migration of a rename and a removal, what the release before it and the one after it "
        "send succeeds, and each reads what the other has written."
    )
    holds = ("expand_contract",)
    refuted = ("in_place",)
    failed = Series("failed statements of running code")
    sent = Series("statements of running code")
    disagreed = Series("values read otherwise than written")
    migrations = Series("migrations made")
    chart = Chart(failed, "failed statements of running code", x="migrations", bound=0)

    reports = (
        (
            "PostHog/posthog#98147",
            "a column goes in the deploy that stops using it: each pod of the old release fails",
            "the column leaves the code first, and the table in a later release",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        steps = plan(stack, variant)
        stack.manage("begin", variant)
        sent = failed = disagreed = 0
        for place, (migration, releases) in enumerate(steps.items(), 1):
            stack.manage("migrate", variant, migration, "--skip-checks")
            old, new = releases
            for writer, reader in {(old, new), (new, old), (old, old), (new, new)}:
                sent += 4
                errors, others = self._send(stack, f"{variant}_delay", writer, reader, -place)
                failed, disagreed = failed + errors, disagreed + others
            yield self.sent(sent)
            yield self.disagreed(disagreed)
            yield self.failed(failed, x=place)
        yield self.migrations(len(steps))

    def _send(
        self, stack: Stack, table: str, writer: Release, reader: Release, row: int
    ) -> tuple[int, int]:
        """Write as one release, read as the other; return what failed and what was read otherwise."""
        failed = disagreed = 0
        select = SELECT_CAUSE if reader.cause else SELECT
        steps = (
            (INSERT_CAUSE if writer.cause else INSERT, writer, None),
            (select, reader, 17),
            (UPDATE, writer, None),
            (select, reader, 42),
        )
        with connect(stack, autocommit=True) as connection:
            for statement, release, expected in steps:
                names = {"table": sql.Identifier(table), "column": sql.Identifier(release.minutes)}
                try:
                    answer = connection.execute(statement.format(**names), {"id": row})
                except psycopg.Error:
                    failed += 1
                    continue
                if expected is not None:
                    found = answer.fetchone()
                    disagreed += found is None or found[0] != expected
            delete = sql.SQL("DELETE FROM {} WHERE flight_id = %s").format(sql.Identifier(table))
            with suppress(psycopg.Error):  # the next who sends something counts it
                connection.execute(delete, [row])
        return failed, disagreed

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {samples.last(self.sent):.0f} statements failed"
        verdict = Verdict.at_most(samples.last(self.failed), 0, words) & Verdict.at_most(
            samples.last(self.disagreed), 0, "{measured} values read otherwise than written"
        )
        if verdict.holds:
            samples.last(self.migrations)  # all of them have to be made
        return verdict
