"""Jobs are given up, and then the workers are frozen: both times the health has to say so."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    clock_starts,
    rest,
    until,
)

from . import Database, asking, slow_workers, submitted


class SilenceIsNoticed(Experiment):
    slug = "silence-is-noticed"
    claim = (
        "The health endpoint counts each of 20 jobs that were given up within 2 s, and is red within 8 s "
        "when the workers are frozen."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    counted = Series("jobs", "jobs given up that are counted")
    noticed = Series("s", "seconds until it is red")
    chart = Chart(counted, "jobs given up that are counted", bound=20)
    live = (noticed,)
    parameters = (Parameter("within", 8, 5, 60, "s"), Parameter("given_up", 20, 1, 200, "jobs"))

    COUNTED_SECONDS = 2.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        url, count = f"{stack.url}/api/{variant}/health/", int(params["given_up"])
        with Database(stack) as database:
            database.resolve()
            if variant not in self.refuted:  # whose health is the same with and without a fault
                self._green(url)
            yield clock_starts()
            jobs = submitted([asking(stack, variant, {"fault": "permanent"})] * count)
            # Each fails as it begins; how long a busy machine takes to begin them is not what is claimed.
            until(lambda: database.begun(jobs) == count, 30, 0.02)
            counted = self._seen(url, count)
            yield self.counted(counted)
            database.resolve()
            if counted < count:
                return  # refuted, and spared the other fault
            self._green(url)
            with ExitStack() as frozen:
                for worker in slow_workers(variant):
                    frozen.enter_context(stack.paused(worker))
                began = time.monotonic()
                until(lambda: ask(url).status == 503, params["within"], 0.1)
                yield self.noticed(time.monotonic() - began)

    @staticmethod
    def _green(url: str) -> None:
        if not until(lambda: ask(url).status == 200, 30, 0.1):
            raise ExperimentError("the health is not green without a fault")

    def _seen(self, url: str, count: int) -> int:
        """Return how many are counted once all are, or in time."""
        deadline, counted = time.monotonic() + self.COUNTED_SECONDS, 0
        while counted < count and time.monotonic() < deadline:
            counted = self._counted(url)
            rest(0.1)
        return counted

    @staticmethod
    def _counted(url: str) -> int:
        answer = ask(url)
        return int(json.loads(answer.body).get("dead_letters", 0)) if answer.status == 503 else 0

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        counted = Verdict.at_least(
            samples.last(self.counted),
            params["given_up"],
            "{measured} of {bound} jobs given up are counted",
        )
        if not counted.holds:
            return counted
        return counted & Verdict.at_most(
            samples.last(self.noticed),
            params["within"],
            "red {measured:.1f} s after the workers froze, {bound:.0f} s allowed",
        )
