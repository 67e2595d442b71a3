"""Workers frozen, jobs given up, workers stopped: each time the health has to say so, and to recover."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
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
    until,
)

from . import WORKER, Database, asking, idle, submitted


class SilenceIsNoticed(Experiment):
    """A variant that does not notice a fault is refuted, and spared the next."""

    slug = "silence-is-noticed"
    claim = (
        "The health endpoint is red within 10 s when the workers are frozen, when 20 jobs were given up, "
        "each of which it counts, and when the workers are stopped."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    counted = Series("jobs", "jobs given up that are counted")
    noticed = Series("s", "seconds until it is red")
    chart = Chart(noticed, "seconds until a fault is noticed", mark="points", bound=10)
    live = (counted,)
    parameters = (Parameter("within", 10, 5, 60, "s"), Parameter("given_up", 20, 1, 200, "jobs"))

    FAULTS = 3

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        url, count = f"{stack.url}/api/{variant}/health/", int(params["given_up"])
        dead = [asking(stack, variant, {"fault": "permanent"})] * count

        def is_red() -> bool:
            return ask(url).status == 503

        def all_counted() -> bool:
            return self._counted(url) >= count

        with idle(stack, variant) as database:
            database.resolve()
            yield clock_starts()
            for fault, seen in (
                (stack.paused(WORKER[variant]), is_red),
                (self._given_up(database, dead), all_counted),
                (stack.stopped(WORKER[variant]), is_red),
            ):
                if not until(lambda: ask(url).status == 200, 30, 0.1):
                    raise ExperimentError("the health is not green without a fault")
                with fault:
                    took = self._until(seen, params["within"])
                    if seen is all_counted:
                        yield self.counted(self._counted(url))
                yield self.noticed(took)
                if took > params["within"]:
                    return

    @staticmethod
    @contextmanager
    def _given_up(database: Database, dead: list[Request]) -> Iterator[None]:
        submitted(dead)
        yield
        database.resolve()

    @staticmethod
    def _until(seen: Callable[[], bool], within_seconds: float) -> float:
        began = time.monotonic()
        until(seen, within_seconds, 0.1)
        return time.monotonic() - began

    @staticmethod
    def _counted(url: str) -> int:
        answer = ask(url)
        return int(json.loads(answer.body).get("dead_letters", 0)) if answer.status == 503 else 0

    def judge(self, samples: Samples, params: Params) -> Verdict:
        noticed = samples.values(self.noticed)
        if len(noticed) < self.FAULTS and max(noticed, default=0) <= params["within"]:
            raise Undecided("not all faults have been there")
        return Verdict.at_least(
            samples.last(self.counted, 0),
            params["given_up"],
            "{measured} of {bound} jobs given up are counted",
        ) & Verdict.at_most(
            max(noticed, default=0),
            params["within"],
            f"{len(noticed)} faults, the slowest red after {{measured:.1f}} s, {{bound:.0f}} s allowed",
        )
