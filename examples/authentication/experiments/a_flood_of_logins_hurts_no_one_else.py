"""Send more logins than the service has threads, and see how long others and logins wait."""

import math
import threading
from collections.abc import Iterator, Sequence

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    Params,
    Request,
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
OTHERS, RATE = 30, 30
HUNG_SECONDS = 1.0  # tells "answered" from "hung"
GIVEN_UP_SECONDS = 3 * HUNG_SECONDS


def most_within(seconds: Sequence[float]) -> float:
    """Return within how many seconds 95 % were answered; nobody waited at all where there are none."""
    return sorted(seconds)[math.ceil(len(seconds) * 0.95) - 1] if seconds else 0.0


class AFloodOfLoginsHurtsNoOneElse(Experiment):
    slug = "a-flood-of-logins-hurts-no-one-else"
    claim = (
        "While 60 clients guess passwords, 95 % of other requests and of logins are answered within 1 s, "
        "and each login that finds no place is told within 1 s when to come back."
    )
    holds = ("sessions",)
    refuted = ("simplejwt",)
    idle = Series("seconds", "others, before")
    others = Series("seconds", "others, in the flood")
    logins = Series("seconds", "within which 95 % of logins had an answer")
    sent_back = Series("seconds", "within which all were told when to come back who found no place")
    unanswered = Series("logins", "neither answered nor told when to come back")
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
        # Once others feel it twice, or as many logins are answered as there are attackers: how long their
        # process takes to begin is the machine's matter.
        until(
            lambda: len(attempts) >= ATTACKERS or (self._hangs(other) and self._hangs(other)),
            PATIENCE_SECONDS,
        )
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
                yield self.waited(most_within(seen))
        finally:
            over.set()
            if most_within(seen) > HUNG_SECONDS:
                # Else what was begun is carried out, hash by hash, and the next experiment waits for it.
                stack.kill("web")
            flood.join()
        yield self.logins(most_within([each.seconds for each in attempts]))
        yield self.sent_back(
            max((each.seconds for each in attempts if each.status == 503), default=0)
        )
        yield self.unanswered(sum(not self._answered(each) for each in attempts))

    def _hangs(self, other: Request) -> bool:
        return ask(other, timeout_seconds=HUNG_SECONDS).status != 200

    def _answered(self, attempt: Answer) -> bool:
        """Whether a login was refused for its password, or told when to come back."""
        return attempt.status == 401 or (attempt.status == 503 and "retry-after" in attempt.headers)

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
            if over.is_set():
                return
            attempts.append(answer)

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
        unanswered = Verdict.at_most(
            samples.last(self.unanswered),
            0,
            "{measured} logins neither answered nor told when to come back",
        )
        sent_back = Verdict.at_most(
            samples.last(self.sent_back),
            HUNG_SECONDS,
            "logins told within {measured:.2f} s when to come back, {bound} s allowed",
        )
        logins = Verdict.at_most(
            samples.last(self.logins),
            HUNG_SECONDS,
            "95 % of logins answered within {measured:.2f} s, {bound} s allowed",
        )
        return answered.provided(logins & sent_back & unanswered)
