"""Send more logins than the service has threads, and see how long others and logins wait."""

import math
import threading
from collections.abc import Iterator

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Undecided,
    Verdict,
    ask,
    clock_starts,
    expect,
    percentile,
    until,
    volley,
)

from . import PATIENCE_SECONDS, login, request

ATTACKERS, LOGINS, LOGINS_RATE = 60, 2_000, 33
OTHERS, RATE = 30, 10
FELT_SECONDS = 5.0
HUNG_SECONDS = 1.0  # of others: tells "answered" from "hung"
LOGIN_SECONDS = 5.0  # one hash at a time, on a machine with other work
GIVEN_UP_SECONDS = 5.0


class AFloodOfLoginsHurtsNoOneElse(Experiment):
    slug = "a-flood-of-logins-hurts-no-one-else"
    claim = (
        "While 60 clients guess passwords, 95 % of other requests are answered within 1 s, "
        "and each login is answered or told when to come back."
    )
    holds = ("sessions",)
    refuted = ("simplejwt",)
    idle = Series("seconds", "others, before")
    others = Series("seconds", "others, in the flood")
    logins = Series("seconds", "until a login was answered or told to come back")
    silent = Series("logins", "refused without Retry-After")
    waited = Series("seconds", "within which 95 % of others were answered")
    chart = Chart(waited, "seconds within which 95 % of others were answered")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        token = login(stack, variant, "passenger-1")["access"]
        other = request(stack, variant, "me/", token=token)
        for answer in volley([other] * OTHERS, processes=1, connections=8):
            yield self.idle(expect(answer, 200).seconds)
        attempts: list[Answer] = []
        over = threading.Event()
        flood = threading.Thread(
            target=self._flood, args=(stack, variant, attempts, over), daemon=True
        )
        yield clock_starts()
        flood.start()
        # Once others feel it, or would by now: how long its process takes to begin is the machine's matter.
        until(lambda: ask(other).seconds > HUNG_SECONDS or not flood.is_alive(), FELT_SECONDS)
        seen: list[float] = []
        try:
            for answer in volley(
                [other] * OTHERS,
                processes=1,
                connections=OTHERS,
                rate=RATE,
                timeout_seconds=GIVEN_UP_SECONDS,
            ):
                seen.append(answer.seconds)
                yield self.others(answer.seconds, at=answer.received)
                yield self.waited(sorted(seen)[math.ceil(len(seen) * 0.95) - 1])
        finally:
            over.set()
            flood.join()
            # What was begun is carried out: the next experiment is to meet a service at rest.
            until(lambda: ask(other).seconds < HUNG_SECONDS, PATIENCE_SECONDS)
        for attempt in attempts:
            yield self.logins(attempt.seconds)
        silent = (
            each for each in attempts if each.status == 503 and "retry-after" not in each.headers
        )
        yield self.silent(sum(1 for _ in silent))

    def _flood(
        self, stack: Stack, variant: str, attempts: list[Answer], over: threading.Event
    ) -> None:
        body = {"username": "passenger-2", "password": "a guess"}
        for answer in volley(
            [request(stack, variant, "login/", "POST", body)] * LOGINS,
            processes=1,
            connections=ATTACKERS,
            rate=LOGINS_RATE,
            timeout_seconds=PATIENCE_SECONDS,
        ):
            attempts.append(answer)
            if over.is_set():
                return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        if len(samples.values(self.others)) < OTHERS:
            raise Undecided("others are still being asked")
        idle = percentile(samples.values(self.idle), 0.95)
        others = samples.last(self.waited)
        words = (
            "95 % of others answered within {measured:.2f} s, {bound} s allowed "
            f"({idle:.2f} s at rest)"
        )
        answered = Verdict.at_most(others, HUNG_SECONDS, words)
        if not answered.holds:
            return answered
        samples.wait_for_end()
        silent = Verdict.at_most(
            samples.last(self.silent), 0, "{measured} logins not told when to come back"
        )
        logins = Verdict.at_most(
            percentile(samples.values(self.logins), 0.95),
            LOGIN_SECONDS,
            "95 % of logins took up to {measured:.1f} s, {bound} s allowed",
        )
        return answered.provided(logins & silent)
