"""Ten minutes of traffic, replayed through the detector."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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
)

WORKERS, MOST_AT_ONCE = 2, 10  # commands at a time, and replays of each
TOLD = 5  # lines of what a rule that fails says
PEOPLE = 480 + 20 + 4  # addresses: of one person each, of a provider's exit, of a carrier


class AttackersYesPeopleNo(Experiment):
    slug = "attackers-yes-people-no"
    claim = (
        "In 10 replays of ten minutes a brute force ends within 12 requests, with a harmless one before "
        "each password within 24, a scan within 25, a trap with the first, a slow brute force within 12, "
        "a botnet within 40, and a flood is named within 500; of 504 addresses of people, 24 of them "
        "shared by up to 600, none is found."
    )
    holds = ("detector",)
    refuted = ("thresholds",)
    people = Series("addresses of people found")
    missed = Series("attackers not found in time")
    replays = Series("replays")
    chart = Chart(people, "addresses of people found", x="replays", mark="points", bound=0)
    parameters = (Parameter("seeds", 10, 1, 100, "replays"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        people = missed = 0
        seeds = int(params["seeds"])
        for replays, found in enumerate(replayed(stack, variant, seeds), 1):
            people += len(found["people"])
            missed += sum(
                not each["found"] or each["through"] > each["bound"]
                for each in found["attackers"].values()
            )
            yield self.missed(missed)
            yield self.replays(replays)
            yield self.people(people, x=replays)
            if people or missed:
                return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        people, replays = samples.last(self.people), samples.last(self.replays)
        words = f"{{measured}} of {PEOPLE * replays:,.0f} addresses of people found"
        missed = f"{{measured}} of {7 * replays:.0f} attackers missed"
        return Verdict.at_most(people, 0, words) & Verdict.at_most(
            samples.last(self.missed), 0, missed
        )


def replayed(stack: Stack, variant: str, seeds: int) -> Iterator[dict[str, Any]]:
    """Yield what became of each seed: of the first alone, as that may be enough, then of the rest."""
    size = min(-(-(seeds - 1) // WORKERS), MOST_AT_ONCE) or 1
    batches = [(first, min(size, seeds - first)) for first in range(1, seeds, size)]

    def said(batch: tuple[int, int]) -> list[dict[str, Any]]:
        first, count = map(str, batch)
        asked = ("replay", variant, "--json", "--first-seed", first, "--seeds", count)
        try:
            return [json.loads(line) for line in stack.manage(*asked).splitlines()]
        except RuntimeError as error:  # the rule failed, or did not end
            why = str(getattr(error, "log", "")).splitlines()[-TOLD:]
            raise ExperimentError("\n".join([str(error), *why])) from error

    yield from said((0, 1))
    with ThreadPoolExecutor(WORKERS) as pool:
        for found in pool.map(said, batches):
            yield from found
