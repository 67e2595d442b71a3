"""Requests whose paths PostgreSQL refuses, and entries that nobody can read, among those of others."""

import random
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
    until,
    volley,
)

from . import sent_by, some_address, url

PER_SECOND = 120
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
        table = {"detector": "kept_logline", "thresholds": "kept_visit"}[variant]
        yield clock_starts()
        first = self._sent(stack, variant, lines, "%00")
        lost = self._lost(stack, table, first, lines)
        yield self.lost(lost)
        if lost:
            return
        with stack.stopped("postgres"):
            second = self._sent(stack, variant, lines, "")
        yield self.lost(self._lost(stack, table, second, lines))

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
    def _lost(stack: Stack, table: str, mark: str, lines: int) -> int:
        """Return how many lines with a mark are missing, once no more come."""
        query = f"SELECT count(*) FROM {table} WHERE path LIKE %s"  # noqa: S608
        with psycopg.connect(stack.services["postgres"], autocommit=True) as database:

            def missing() -> int:
                row = database.execute(query, [f"%{mark}%"]).fetchone()  # type: ignore[arg-type]
                return lines - int(row[0] if row else 0)

            until(lambda: missing() == 0, 4)
            return missing()
