"""Make a concurrent build of an index fail in three ways, and run it again as a deployment would."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Final

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

from . import PATIENCE_SECONDS, busy, connect, number, until_seen

BUILDS: Final = (
    "SELECT pid FROM pg_stat_progress_create_index"
    " WHERE index_relid = to_regclass('busy_by_number')"
)
WAITING = f"{BUILDS} AND phase LIKE 'waiting for writers%'"
BLOCKED: Final = "SELECT pid FROM pg_locks WHERE relation = 'busy'::regclass AND NOT granted"
ROWS, HELD_SECONDS = 50_000, 1.5
VALID = (
    "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('busy_by_number') AND indisvalid"
)

type Hurt = Callable[[psycopg.Connection[Any]], object]


def signalled(function: str) -> Hurt:
    tell = sql.SQL("SELECT {}(pid) FROM ({}) AS building")
    return lambda connection: connection.execute(
        tell.format(sql.Identifier(function), sql.SQL(BUILDS))
    )


# What ends a build: a person, a failover, and a timeout that somebody gave the role.
FAULTS: Mapping[str, Hurt] = {
    "cancelled": signalled("pg_cancel_backend"),
    "terminated": signalled("pg_terminate_backend"),
    "timed out": lambda _: None,
}


class AFailedBuildIsFound(Experiment):
    slug = "a-failed-build-is-found"
    claim = (
        "Where a concurrent build was cancelled, terminated or timed out, what it left is reported, and "
        "the same command, run again, ends with an index that queries can use."
    )
    holds = ("expand_contract",)
    refuted = ("if_not_exists",)
    left = Series("indexes that no query can use after the second run")
    unreported = Series("failed builds that were not reported")
    builds = Series("builds that were to fail")
    chart = Chart(left, "indexes that no query can use", x="builds", bound=0)
    reports = (
        (
            "zulip/zulip#37905",
            "`AddIndexConcurrently` is cut off: its index is there, its migration is not recorded",
            "the second run looks at what is there, and not at what is recorded",
        ),
        (
            "ankane/strong_migrations#233",
            'the retry of a build after its lock timeout says "already exists"; later migrations stop',
            "what the first build left is found, dropped and built again",
        ),
        (
            "polarsource/polar#14583",
            "a `lock_timeout` of 5 s ends each build, which waits for other transactions; no deploy",
            "the build waits without a timeout, since it keeps nobody waiting",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        left = unreported = 0
        for place, (fault, hurt) in enumerate(FAULTS.items(), 1):
            with connect(stack, autocommit=True) as connection, busy(connection, ROWS):
                self._failed(stack, connection, variant, fault, hurt)
                unreported += not self._reported(stack, connection)
                stack.manage("alter", variant, "index")
                left += not number(connection, VALID)
            yield self.builds(place)
            yield self.unreported(unreported)
            yield self.left(left, x=place)

    def _failed(
        self,
        stack: Stack,
        connection: psycopg.Connection[Any],
        variant: str,
        fault: str,
        hurt: Hurt,
    ) -> None:
        """Build the index behind a writer's open transaction, and hurt the build while it waits."""
        if fault == "timed out":
            connection.execute("ALTER ROLE CURRENT_USER SET lock_timeout = '300ms'")
        try:
            with connect(stack) as writer, ThreadPoolExecutor(1) as pool:
                writer.execute("INSERT INTO busy SELECT * FROM busy LIMIT 1")
                build = pool.submit(stack.manage, "alter", variant, "index")
                try:
                    if not until_seen(connection, f"{WAITING} UNION {BLOCKED}", build):
                        raise ExperimentError("the build did not begin")
                    if connection.execute(BLOCKED).fetchone():
                        raise ExperimentError(f"{variant} builds no index concurrently")
                    hurt(connection)
                    wait([build], HELD_SECONDS if fault == "timed out" else PATIENCE_SECONDS)
                finally:  # the build may wait for this, and the pool for the build
                    writer.rollback()
        finally:
            connection.execute("ALTER ROLE CURRENT_USER RESET lock_timeout")
        if fault != "timed out" and not build.exception():
            raise ExperimentError(f"the build was {fault}, and ended well")

    def _reported(self, stack: Stack, connection: psycopg.Connection[Any]) -> bool:
        """Whether the service tells of the index, if there is one that is not valid."""
        if number(connection, VALID):
            return True
        told = json.loads(expect(ask(f"{stack.url}/api/", {}, PATIENCE_SECONDS), 200).body)
        return {"table": "busy", "name": "busy_by_number"} in told["failed_builds"]

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} indexes that no query can use after the second run"
        left = Verdict.at_most(samples.last(self.left), 0, words)
        told = Verdict.at_most(
            samples.last(self.unreported), 0, "{measured} failed builds not reported"
        )
        if not (left & told).holds:
            return left & told
        due = Verdict.at_least(
            samples.last(self.builds), len(FAULTS), "{measured} of {bound} builds made to fail"
        )
        return left & told & due
