"""Freeze Redis under load, then stop it, then bring it back: every rule set keeps its promise."""

import math
import time
from collections.abc import Iterator

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
    clock_starts,
    until,
    volley,
)

from . import (
    REFILL_PER_SECOND,
    admitted_by_redis,
    decided_apart,
    forget,
    sent_by,
    some_address,
    url,
    warm,
)

SLOWEST_SECONDS = 1.0
GIVEN_UP_SECONDS = 1.2
RETURN_SECONDS = 5.0
# More requests to the local limit than it admits, or nobody could tell that it does not.
RULE_SETS = ("open", "closed", "airports", "airports", "airports", "airports")
BURST = 300
BURSTS = 5  # at most, after a return; one more where Redis was late for half of it


class SurvivesRedis(Experiment):
    slug = "survives-redis"
    claim = (
        "With Redis frozen or gone every request is answered within 1 s and without a server error, "
        "as its rule set says (open, closed, local), and counting is exact again within 5 s of its return."
    )
    holds = ("token_bucket",)
    refuted = ("drf_throttle", "django_ratelimit")
    answer = Series("seconds from question to answer")
    # Their values number the requests that broke the promise.
    late = Series("number", "not answered within 1 s")
    failed = Series("number", "answered with a server error")
    against_policy = Series("number", "answered against their policy")
    exact_again = Series("seconds since Redis returned")
    apart_after = Series("requests", "answered without Redis, of a burst after its return")
    admitted_after = Series("requests", "admitted by Redis, of a burst after its return")
    allowed_after = Series("requests", "that Redis may admit of it")
    broken = Series("requests")
    chart = Chart(broken, "requests that broke the promise")
    parameters = (
        Parameter("rate", 90, 20, 200, "requests/s"),
        Parameter("outage", 2, 1, 10, "s"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        warm([url(stack, variant)])
        forget(stack)
        self.count, self.latest = 0, 0.0
        yield clock_starts()
        for outage in (stack.paused, stack.stopped):
            with outage("redis"):
                yield from self._outage(stack, variant, params)
            if variant not in self.refuted:
                yield from self._return(url(stack, variant))

    def _outage(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        rule_sets = RULE_SETS if variant not in self.refuted else ("airports",)
        address = some_address()
        requests = [
            Request(url(stack, variant, rule_sets[number % len(rule_sets)]), sent_by(address))
            for number in range(int(params["rate"] * params["outage"]))
        ]
        in_local, first = 0, math.inf
        for answer in volley(
            requests,
            processes=2,
            # Enough that each leaves when it is due, however many of them hang.
            connections=math.ceil(params["rate"] / 2 * GIVEN_UP_SECONDS),
            timeout_seconds=GIVEN_UP_SECONDS,
            rate=params["rate"],
        ):
            yield self.answer(answer.seconds, at=answer.received)
            first = min(first, answer.sent)
            # Four processes keep a quarter of 100 each, and refill at a quarter of the rate.
            share = 100 + REFILL_PER_SECOND * (answer.received - first)
            rules = rule_sets[answer.request % len(rule_sets)]
            in_local += rules == "airports" and answer.status == 200
            # Answers of two processes come out of order.
            self.latest = max(self.latest, answer.received)
            if series := self._broken(answer, rules, in_local > share):
                self.count += 1
                yield series(self.count, at=answer.received)
            yield self.broken(self.count, at=self.latest)

    def _broken(self, answer: Answer, rules: str, more_than_local: bool) -> Series | None:
        if answer.seconds > SLOWEST_SECONDS:
            return self.late
        if answer.status not in (200, 429):
            return self.failed
        got_in = answer.status == 200
        as_promised = {"open": got_in, "closed": not got_in, "airports": not more_than_local}
        return None if as_promised[rules] else self.against_policy

    def _return(self, target: str) -> Iterator[Sample]:
        returned = time.monotonic()
        # Each process finds out for itself: so all of them are asked, and at once.
        until(lambda: warm([target], 80) == 0, 2 * RETURN_SECONDS, step_seconds=0)
        yield self.exact_again(time.monotonic() - returned)
        for _ in range(BURSTS):
            request = Request(target, sent_by(some_address()))
            answers = list(volley([request] * BURST, processes=2, connections=20))
            spent = max(each.received for each in answers) - min(each.sent for each in answers)
            apart = sum(map(decided_apart, answers))
            yield self.apart_after(apart)
            yield self.allowed_after(100 + math.floor(REFILL_PER_SECOND * spent))
            yield self.admitted_after(sum(map(admitted_by_redis, answers)))
            if apart <= BURST / 2:
                break

    def judge(self, samples: Samples, params: Params) -> Verdict:
        seconds = samples.values(self.answer)
        broken = samples.last(self.broken)
        causes = {
            each.name: sum(number <= broken for number in samples.values(each))
            for each in (self.late, self.failed, self.against_policy)
        }
        named = ", ".join(f"{count} {name}" for name, count in causes.items() if count)
        kept = Verdict.at_most(
            broken,
            0,
            f"{{measured}} of {len(seconds)} requests broke the promise ({named})"
            if named
            else f"{{measured}} of {len(seconds)} requests broke the promise, "
            f"the slowest took {max(seconds):.2f} s",
        )
        if not kept.holds or not samples.over:
            return kept
        samples.last(self.admitted_after)  # an outage without a burst after it proves nothing
        bursts = list(
            zip(
                samples.values(self.admitted_after),
                samples.values(self.apart_after),
                samples.values(self.allowed_after),
                strict=True,
            )
        )
        # A machine that is busy elsewhere makes Redis late, and the answer says so. What it charged
        # for such an answer is missing among those that it admitted.
        inexact = [
            f"{by_redis:.0f} admitted of {100 - apart:.0f} to {allowed:.0f}"
            for by_redis, apart, allowed in bursts
            if not 100 - apart <= by_redis <= allowed
        ]
        telling = sum(apart <= BURST / 2 for _, apart, _ in bursts)
        return (
            kept
            & Verdict.at_most(
                max(samples.values(self.exact_again)),
                RETURN_SECONDS,
                "exact again after {measured:.1f} s, {bound} s allowed",
            )
            & Verdict.at_most(
                len(inexact),
                0,
                "; ".join([f"{{measured}} of {len(bursts)} bursts after it miscounted", *inexact]),
            )
        ).provided(
            Verdict.at_least(
                telling, 2, "Redis decided most of {measured} bursts after it, {bound} are due"
            )
        )
