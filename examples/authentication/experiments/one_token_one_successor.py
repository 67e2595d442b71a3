"""Present one refresh token fifty times at once, and see how many chains live on."""

import json
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
    expect,
    volley,
)

from . import PATIENCE_SECONDS, all_at_once, login, refresh, request

AT_ONCE, THREADS = 50, 32


class OneTokenOneSuccessor(Experiment):
    slug = "one-token-one-successor"
    claim = (
        "Of 50 refreshes of one token at once, all are answered, with one and the same successor."
    )
    holds = ("sessions",)
    refuted = ("strict_reuse", "simplejwt")
    reports = (
        (
            "django-oauth/django-oauth-toolkit#558",
            "refreshes at once check one token before any of them revokes it: many access tokens",
            "one `UPDATE` finds the generation, the others get its successor",
        ),
    )
    answered = Series("requests", "answered with a token")
    successors = Series("tokens")
    alive = Series("chains")
    chart = Chart(alive, "chains alive after one token was refreshed 50 times at once")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        token = login(stack, variant, "passenger-1")["refresh"]
        asked = request(stack, variant, "refresh/", "POST", {"refresh": token})
        yield clock_starts()
        with all_at_once(stack, THREADS):
            answers = list(
                volley([asked] * AT_ONCE, connections=7, timeout_seconds=PATIENCE_SECONDS)
            )
        given = [each for each in answers if expect(each, 200, 401).status == 200]
        found = {json.loads(each.body)["refresh"] for each in given}
        yield self.answered(len(given))
        yield self.successors(len(found))
        yield self.alive(0)
        for number, successor in enumerate(sorted(found)):
            if refresh(stack, variant, successor):
                yield self.alive(number + 1)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()  # it counts all of them
        alive = Verdict.exactly(
            samples.last(self.alive),
            1,
            "{measured:chain} alive after 50 refreshes of one token, {bound} allowed",
        )
        answered = samples.last(self.answered)
        return alive & Verdict.at_least(
            answered, AT_ONCE, "{measured} of {bound} answered with a token"
        )
