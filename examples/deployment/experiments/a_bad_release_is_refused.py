"""Bad releases under load: one fails on every third page, one takes no booking, one is not there."""

from collections.abc import Callable, Iterator
from threading import Event

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
)

from . import Load, Outcome, Work, begin, replaced

# Each with what it has to be refused for: another reason would say nothing about the gate or the trial.
BAD = {
    "every_third": "smoke requests failed",  # first: who lets it in is refuted by it
    "no_bookings": "answers were errors",
    "nowhere": "cannot be read",
}
ASKED = 300  # requests at least: of fewer too few could have met a bad release
ALLOWED = 5  # the trial ends at the first error; as many as the proxy lets in may be under way then
NOTICED_SECONDS = 3  # until somebody sees it and rolls back: fast, for a person


class ABadReleaseIsRefused(Experiment):
    slug = "a-bad-release-is-refused"
    claim = "Three bad releases are refused, and at most 5 of about 1,500 requests have met one."
    holds = ("blue_green",)
    refuted = ("healthz_only",)
    failed = Series("requests")
    asked = Series("requests", "requests asked")
    refused = Series("releases")
    chart = Chart(failed, "failed requests", running_total=True)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        yield clock_starts()
        orders = [self._tried(stack, folder) for folder in BAD]
        with Load(stack) as load, Work(*orders) as work:
            for batch in load.during(work):
                yield self.failed(sum(got.failed for got in batch))
                yield self.asked(len(batch))
        reasons = zip(work.outcomes, BAD.values(), strict=True)
        yield self.refused(sum(reason in each.refused for each, reason in reasons))

    def _tried(self, stack: Stack, folder: str) -> Callable[[Event], Outcome]:
        def order(over: Event) -> Outcome:
            outcome = replaced(stack, folder)
            if not outcome.refused and not over.wait(NOTICED_SECONDS):
                replaced(stack, "good")
            return outcome

        return order

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured:request} met a bad release, {bound} are allowed"
        met = Verdict.at_most(sum(samples.values(self.failed)), ALLOWED, words)
        if not samples.over:
            return met
        refused = Verdict.exactly(
            samples.last(self.refused), len(BAD), "{measured} of {bound} refused"
        )
        asked = sum(samples.values(self.asked))
        enough = Verdict.at_least(asked, ASKED, "{measured} requests asked, {bound} needed")
        return met.provided(refused).provided(enough)
