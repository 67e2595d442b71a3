"""Requests whose paths PostgreSQL refuses, and entries that nobody can read, among those of others."""

import random
import time
from collections.abc import Iterator

import psycopg
from redis import Redis

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    expect,
    rest,
    volley,
)

from . import LINES, sent_by, some_address, url

PER_SECOND = 120
QUIET_SECONDS = 1.5  # without a line: then no more come
UNREADABLE = ("no json", "7", '[["11.0.0.1/32"]]', '[["nobody", "ok", "", "", "", 1]]')


class OneBadLineLosesNoOther(Experiment):
    slug = "one-bad-line-loses-no-other"
    claim = (
        "While clients ask for paths with a NUL, others bring entries that nobody can read, and PostgreSQL "
        "is away for a while, not one of 200 lines of other clients is lost."
    )
    holds = ("detector",)
    refuted = ("thresholds",)
    reports = (
        (
            "piwheels/piwheels#227",
            "a log entry with a NUL, which PostgreSQL refuses, ends the process that writes the log",
            "the line is kept with `%00`, and no other is touched",
        ),
        (
            "pipeshub-ai/pipeshub-ai#2992",
            "a message that cannot be handled is delivered 800 times, and nothing else is",
            "it costs itself, once",
        ),
    )
    lost = Series("lines lost")
    chart = Chart(lost, "lines of other clients lost", bound=0)
    parameters = (Parameter("lines", 200, 60, 2_000, "lines"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        lines = int(params["lines"]) // 2
        yield clock_starts()
        try:
            first = self._sent(stack, variant, lines, "%00")
            lost = self._lost(stack, variant, first, lines)
            yield self.lost(lost)
            if lost:
                return
            with stack.stopped("postgres"):
                second = self._sent(stack, variant, lines, "")
            yield self.lost(self._lost(stack, variant, second, lines))
        finally:  # what a variant does not get past would be in the way of the next claim
            with Redis.from_url(stack.services["redis"]) as store:
                store.delete(f"seen:{variant}")

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {int(params['lines'])} lines of other clients lost"
        return Verdict.at_most(samples.last(self.lost), 0, words)

    @staticmethod
    def _sent(stack: Stack, variant: str, lines: int, bad: str) -> str:
        """Send lines with a mark, and between them what does harm; return the mark."""
        mark = f"line-{random.randrange(2**64):x}"
        requests = [
            Request(url(stack, variant, f"{path}/{number}/"), sent_by(some_address()))
            for number in range(lines)
            for path in (mark, f"x{bad}")
        ]
        with Redis.from_url(stack.services["redis"]) as store:
            for number, answer in enumerate(
                volley(requests, processes=1, connections=4, rate=PER_SECOND)
            ):
                expect(answer, 404)
                if number % 20 == 0:
                    rows = UNREADABLE[number // 20 % len(UNREADABLE)]
                    store.xadd(f"seen:{variant}", {"rows": rows})
        return mark

    @staticmethod
    def _lost(stack: Stack, variant: str, mark: str, lines: int) -> int:
        """Return how many lines with a mark are missing, once no more come."""
        query = f"SELECT count(DISTINCT path) FROM {LINES} WHERE path LIKE %s"  # noqa: S608
        with (
            psycopg.connect(stack.services["postgres"], autocommit=True) as database,
            Redis.from_url(stack.services["redis"]) as store,
        ):

            def missing() -> int:
                row = database.execute(query, [f"%{mark}%"]).fetchone()  # type: ignore[arg-type]
                return lines - int(row[0] if row else 0)

            def waiting() -> bool:
                return bool(store.xlen(f"seen:{variant}"))

            end, lost = time.monotonic() + 10, missing()
            while lost and time.monotonic() < end:
                before, quiet = lost, not waiting()
                rest(QUIET_SECONDS)
                lost = missing()
                if quiet and not waiting() and lost == before:
                    break
            return lost
