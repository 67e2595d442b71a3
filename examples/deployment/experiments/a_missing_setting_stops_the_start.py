"""A release that needs one variable more than there are, put in the place of one that does not."""

from collections.abc import Iterator
from threading import Event

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
)

from . import Load, Work, begin, replaced

FOLDER = "charging"  # it charges for bookings, and nobody has set PAYMENT_URL
AFTER = 150  # requests: so many are asked once the new release is live or refused


class AMissingSettingStopsTheStart(Experiment):
    slug = "a-missing-setting-stops-the-start"
    claim = (
        "A release whose environment lacks one variable is refused before a client reaches it: "
        "no request fails."
    )
    holds = ("blue_green",)
    refuted = ("as_usual",)
    failed = Series("failed requests")
    asked = Series("requests")
    served = Series("answers of the new release")
    chart = Chart(failed, "failed requests", bound=0)
    live = (asked, served)
    reports = (
        (
            "penumbra-zone/web#2621",
            "code needs a variable, the rollout succeeds without it, and users meet the error",
            "the release ends at its start, and is refused with the name of the variable",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        old = begin(stack, variant)
        yield clock_starts()
        asked = served = failed = 0
        with Load(stack) as load, Work(lambda over: self._replaced(stack, load, over)) as work:
            for batch in load.during(work):
                asked += len(batch)
                served += sum(got.release not in ("", str(old)) for got in batch)
                failed += sum(got.failed for got in batch)
                yield self.asked(asked)
                yield self.served(served)
                yield self.failed(failed)

    def _replaced(self, stack: Stack, load: Load, over: Event) -> None:
        refused = replaced(stack, FOLDER).refused
        if refused and "PAYMENT_URL" not in refused:
            raise ExperimentError(f"the release was refused for another reason: {refused}")
        load.await_answers(AFTER, over)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {samples.last(self.asked):,.0f} requests failed"
        failed = Verdict.at_most(samples.last(self.failed), 0, words)
        words = "the new release answered {measured} requests"
        return failed & Verdict.at_most(samples.last(self.served), 0, words)
