"""Redis stops, processes start again, and a ban is made meanwhile."""

import time
from collections.abc import Generator, Iterator

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
    percentile,
    rest,
    volley,
)

from . import (
    KNOWN_SECONDS,
    PROCESSES,
    REFUSED,
    SERVED,
    Operator,
    late_after,
    processes_that,
    refused,
    sent_by,
    some_address,
    start_again,
    stranger,
    url,
)


class BansOutliveRedis(Experiment):
    slug = "bans-outlive-redis"
    claim = (
        "With Redis stopped banned clients are refused and others served, also by processes that start "
        "meanwhile, even without PostgreSQL; a ban made meanwhile refuses everywhere within 5 s."
    )
    holds = ("shield",)
    refuted = ("ipware_ratelimit",)
    wrong = Series("answers")
    answered = Series("answers")
    guard = Series("milliseconds in the guard")
    new_ban = Series("processes that refuse within 5 s")
    chart = Chart(wrong, "wrong answers", bound=0)
    parameters = (Parameter("requests", 1000, 100, 10_000, "requests"),)

    ENOUGH_WRONG = 4
    # Who waits for Redis waits 500 ms; who waits for a processor of a busy machine waits some.
    GUARD_MS = 50.0
    NEW_BAN_SECONDS = 5.0
    OLD_SECONDS = 5.0  # a ban that is older is in the file

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        target = url(stack, variant)
        banned, later = some_address(), some_address()
        operator.ban(banned)
        made = time.monotonic()
        yield clock_starts()
        for _ in processes_that(refused, target, sent_by(banned), KNOWN_SECONDS):
            yield self.wrong(0)
        with stack.stopped("redis"):
            wrong = yield from self._answers(target, banned, int(params["requests"]), 0)
            if wrong >= self.ENOUGH_WRONG:
                return
            operator.ban(later)
            late = late_after(self.NEW_BAN_SECONDS, refused, target, sent_by(later))
            yield self.new_ban(PROCESSES - late)
            rest(max(0.0, made + self.OLD_SECONDS - time.monotonic()))
            with stack.stopped("postgres"):
                start_again(stack)
                yield from self._answers(target, banned, 100, wrong)

    def _answers(
        self, target: str, banned: str, count: int, wrong: int
    ) -> Generator[Sample, None, int]:
        """Ask as the banned client and as another one in turn; return how many answers were wrong."""
        requests = [
            Request(target, sent_by(stranger() if number % 2 else banned))
            for number in range(count)
        ]
        for number, answer in enumerate(volley(requests, processes=1, connections=4), 1):
            right = answer.status in (REFUSED if answer.request % 2 == 0 else SERVED)
            wrong += not right
            yield self.wrong(wrong, at=answer.received)
            yield self.answered(number, at=answer.received)
            if "server-timing" in answer.headers:
                took = answer.headers["server-timing"].partition("dur=")[2].partition(",")[0]
                yield self.guard(float(took), at=answer.received)
            if wrong >= self.ENOUGH_WRONG:
                break
        return wrong

    def judge(self, samples: Samples, params: Params) -> Verdict:
        wrong = samples.last(self.wrong)
        words = f"{{measured}} of {len(samples.of(self.answered)):,} answers wrong"
        right = Verdict.at_most(wrong, 0, words)
        if not right.holds:
            return right
        samples.wait_for_end()
        p99 = percentile(samples.values(self.guard), 0.99)
        quick = Verdict.at_most(
            p99, self.GUARD_MS, "p99 of the guard {measured} ms, {bound} allowed"
        )
        words = "{measured} of {bound} processes refuse a new ban within 5 s"
        return right & quick & Verdict.at_least(samples.last(self.new_ban), PROCESSES, words)
