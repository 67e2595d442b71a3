"""Let a thief refresh a copied token, and then its owner; and let an owner lose an answer and ask again."""

from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    until,
)

from . import PATIENCE_SECONDS, accepted, login, refresh, send, someone

ROUNDS, TRIES = 2, 10
TOLD = "a token was reused"


class AStolenTokenEndsTheFamily(Experiment):
    slug = "a-stolen-token-ends-the-family"
    claim = (
        "Once the owner comes after a thief, neither goes on and the log says so; "
        "an owner who lost an answer and asks again within 10 s stays signed in."
    )
    holds = ("sessions",)
    refuted = ("strict_reuse", "simplejwt")
    reports = (
        (
            "jazzband/djangorestframework-simplejwt#863",
            "who refreshes a stolen token gets one that nobody can revoke",
            "all successors of a token are one row, which ends with the first reuse",
        ),
    )
    stolen = Series("requests", "of thieves that were let in after the owner came")
    signed_out = Series("owners", "signed out for asking again")
    told = Series("lines", "of the log about it")
    harmed = Series("requests", "of thieves let in, and of owners signed out")
    chart = Chart(harmed, "thieves' requests let in, and owners signed out")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        before = stack.logs("web").count(TOLD)
        stolen = signed_out = 0
        yield clock_starts()
        for _ in range(ROUNDS):
            signed_out += self._asks_again(stack, variant)
            yield self.signed_out(signed_out)
            for _ in self._thief(stack, variant):
                stolen += 1
                yield self.harmed(stolen + signed_out)
            yield self.stolen(stolen)
            yield self.harmed(stolen + signed_out)
        if variant not in self.refuted:
            until(lambda: stack.logs("web").count(TOLD) - before >= ROUNDS, PATIENCE_SECONDS)
        yield self.told(stack.logs("web").count(TOLD) - before)

    def _asks_again(self, stack: Stack, variant: str) -> bool:
        """Return whether an owner is signed out who asks twice with one token, and goes on."""
        first = login(stack, variant, someone(stack))["refresh"]
        refresh(stack, variant, first)  # its answer is lost
        again = refresh(stack, variant, first)
        return again is None or refresh(stack, variant, again["refresh"]) is None

    def _thief(self, stack: Stack, variant: str) -> Iterator[None]:
        """Yield for each request of a thief that is let in after the owner has come."""
        copied = login(stack, variant, someone(stack))["refresh"]
        thief = refresh(stack, variant, copied)
        thief = thief and refresh(stack, variant, thief["refresh"])
        refresh(stack, variant, copied)  # the owner comes
        for _ in range(TRIES):
            after = thief and refresh(stack, variant, thief["refresh"])
            if after:
                thief = after
                yield
        if thief and accepted([send(stack, variant, "me/", "GET", token=thief["access"])]):
            yield

    def judge(self, samples: Samples, params: Params) -> Verdict:
        told = samples.last(self.told)
        most = ROUNDS * (TRIES + 1)
        stolen, signed_out = samples.last(self.stolen), samples.last(self.signed_out)
        verdict = Verdict.at_most(
            samples.last(self.harmed),
            0,
            f"{{measured}} wrong answers: {stolen:.0f} of {most} requests of thieves let in after the "
            f"owner came, {signed_out:.0f} of {ROUNDS} owners signed out for asking again",
        )
        return verdict.provided(
            Verdict.at_least(told, ROUNDS, "the log tells of {measured} of {bound} thefts")
        )
