"""Two bad releases under load: one that fails on every third page, one that takes no booking."""

from collections.abc import Callable, Iterator

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
    rest,
)

from . import Load, Outcome, Work, begin, replaced

BAD = ("every_third", "no_bookings")
TRIAL_ERRORS = 5  # of releases.switch.Trial
NOTICED_SECONDS = 3  # until somebody sees it and rolls back: fast, for a person


class ABadReleaseIsRefused(Experiment):
    slug = "a-bad-release-is-refused"
    claim = "Two bad releases are refused, and at most five requests have met one."
    holds = ("blue_green",)
    refuted = ("healthz_only",)
    failed = Series("requests")
    refused = Series("releases")
    chart = Chart(failed, "failed requests", mark="bars")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        yield clock_starts()
        orders = [self._tried(stack, folder) for folder in BAD]
        with Load(stack) as load, Work(*orders) as work:
            for got in load.during(work):
                yield self.failed(got.failed, at=got.received)
        yield self.refused(sum(bool(each.refused) for each in work.outcomes))

    def _tried(self, stack: Stack, folder: str) -> Callable[[], Outcome]:
        def order() -> Outcome:
            outcome = replaced(stack, folder)
            if not outcome.refused:
                rest(NOTICED_SECONDS)
                replaced(stack, "good")
            return outcome

        return order

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} requests met a bad release, {bound} are allowed"
        met = Verdict.at_most(sum(samples.values(self.failed)), TRIAL_ERRORS, words)
        if not samples.over:
            return met
        refused = Verdict.exactly(
            samples.last(self.refused), len(BAD), "{measured} of {bound} refused"
        )
        return met.provided(refused)
