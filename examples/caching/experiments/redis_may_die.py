"""Steady reads; Redis is stopped, computations pile up at the barrier; it comes back, and freezes."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from nexus.experiment import (
    Answer,
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
    rest,
    volley,
)

from . import Database, Operator, page, url, version

CAP = 16
BACK_SECONDS = 5.0
STOP_SECONDS, START_SECONDS = 0.5, 2.0  # of the reads: when Redis is stopped, and started again
FROZEN_SECONDS = 2.0
WRITE = "UPDATE flights_airport SET city = city || '!' WHERE code = ANY(%s)"


class RedisMayDie(Experiment):
    slug = "redis-may-die"
    claim = (
        "While Redis is stopped or frozen every request is answered with a page and every edit is made, "
        "no more than 16 computations are in the database at a time, and within 5 s of its return all "
        "reads of a load that goes on are answered from the cache, with current pages."
    )
    holds = ("layered",)
    refuted = ("get_or_set",)
    failed = Series("requests without a page, and edits that were not made")
    at_a_time = Series("computations in the database")
    behind = Series("pages not cached or not current 5 s after the return of Redis")
    back = Series("s after the return of Redis until the pages are cached and current")
    chart = Chart(failed, "requests without a page", bound=0)
    parameters = (Parameter("rate", 60, 20, 200, "requests/s"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database:
            self._failures = 0
            codes = database.codes(20)
            targets = {code: url(stack, variant, code) for code in codes}
            for target in targets.values():
                page(target)
            for way in (self._stopped, self._frozen):
                answers = self._reads(targets, params["rate"])
                yield from way(stack, database, answers, codes)
                yield from self._recovers(stack, answers, codes)

    def _stopped(
        self, stack: Stack, database: Database, answers: Iterator[Answer], codes: list[str]
    ) -> Iterator[Sample]:
        began = time.monotonic()
        yield from self._failed(answers, began + STOP_SECONDS)
        with stack.stopped("redis"):
            with database.barrier():
                for _ in range(20):
                    yield self.at_a_time(database.blocked())
                    rest(0.05)
            database.execute(WRITE, codes)
            yield from self._failed(answers, began + START_SECONDS)

    def _frozen(
        self, stack: Stack, database: Database, answers: Iterator[Answer], codes: list[str]
    ) -> Iterator[Sample]:
        """Nothing is answered, an operator and another client write, the relay loses its connection."""
        with stack.paused("redis"), ThreadPoolExecutor(1) as pool, Operator(stack) as operator:
            edited = pool.submit(operator.edit, codes[0])
            database.cut_relay()
            yield from self._failed(answers, time.monotonic() + FROZEN_SECONDS)
            self._failures += edited.exception() is not None
            yield self.failed(self._failures)
            database.execute(WRITE, codes)

    @staticmethod
    def _reads(targets: dict[str, str], rate: float) -> Iterator[Answer]:
        """Read one page after the other for longer than the fault and the return take."""
        pages = [Request(target) for target in targets.values()]
        seconds = START_SECONDS + 2 * BACK_SECONDS
        requests = [pages[number % len(pages)] for number in range(int(rate * seconds))]
        return volley(requests, processes=2, connections=50, rate=rate, timeout_seconds=15)

    def _failed(self, answers: Iterator[Answer], end: float) -> Iterator[Sample]:
        for answer in answers:
            self._failures += answer.status != 200
            yield self.failed(self._failures, at=answer.received)
            if time.monotonic() > end:
                return

    def _recovers(
        self, stack: Stack, answers: Iterator[Answer], codes: list[str]
    ) -> Iterator[Sample]:
        """Watch the reads until each page was twice cached and current, and none was not meanwhile."""
        returned = time.monotonic()
        expected = {code: version(page(url(stack, "uncached", code))) for code in codes}
        behind, good = set(codes), 0
        for answer in answers:
            self._failures += answer.status != 200
            yield self.failed(self._failures, at=answer.received)
            code = codes[answer.request % len(codes)]
            is_good = self._cached(answer) and version(answer) >= expected[code]
            behind = behind - {code} if is_good else behind | {code}
            good = good + 1 if is_good else 0
            # Two processes send: so many good answers may leave a page out.
            is_back = good >= 2 * len(codes) and not behind
            if is_back or time.monotonic() > returned + BACK_SECONDS:
                break
        yield self.back(time.monotonic() - returned)
        yield self.behind(len(behind))

    @staticmethod
    def _cached(answer: Answer) -> bool:
        layer = answer.headers.get("cache-status", "")
        return answer.status == 200 and layer.endswith(("=redis", "=local"))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        asked = len(samples.of(self.failed))
        words = f"{{measured}} of {asked} requests and edits failed"
        failed = Verdict.at_most(samples.last(self.failed), 0, words)
        if not failed.holds:
            return failed
        samples.last(self.behind)  # at least once it has to come back
        most, behind = max(samples.values(self.at_a_time)), sum(samples.values(self.behind))
        words = f"{{measured}} pages behind {max(samples.values(self.back)):.1f} s after its return"
        return (
            failed
            & Verdict.at_most(most, CAP, "{measured:computation} at a time, {bound} are allowed")
            & Verdict.at_most(behind, 0, words)
        )
