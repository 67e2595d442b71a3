"""A release that needs one variable more than there are, put in the place of one that does not."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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
    rest,
)

from . import Load, begin, replaced

FOLDER = "charging"  # it charges for bookings, and nobody has set PAYMENT_URL
AFTER_SECONDS = 1.5  # for so long clients go on, once the new release is live or refused
LEAST = 300  # requests: fewer would be another load than the claim speaks of


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
        with Load(stack) as load, ThreadPoolExecutor(1) as order:
            rest(0.5)
            replacing = order.submit(replaced, stack, FOLDER)
            while not replacing.done():
                rest(0.1)
                yield from self._seen(load, old)
            for _ in range(round(AFTER_SECONDS * 10)):
                rest(0.1)
                yield from self._seen(load, old)
        yield from self._seen(load, old)
        if len(load.got) < LEAST:
            raise ExperimentError(f"the clients sent only {len(load.got)} requests")
        if (refused := replacing.result().refused) and "PAYMENT_URL" not in refused:
            raise ExperimentError(f"the release was refused for another reason: {refused}")

    def _seen(self, load: Load, old: int) -> Iterator[Sample]:
        got = load.got.copy()
        yield self.asked(len(got))
        yield self.served(sum(each.release not in ("", str(old)) for each in got))
        yield self.failed(sum(each.failed for each in got))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {samples.last(self.asked):,.0f} requests failed"
        failed = Verdict.at_most(samples.last(self.failed), 0, words)
        words = "the new release answered {measured} requests"
        return failed & Verdict.at_most(samples.last(self.served), 0, words)
