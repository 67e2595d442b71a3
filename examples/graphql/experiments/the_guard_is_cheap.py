"""A document of 2 kB whose fragments double 60 times, while others ask for something small."""

import statistics
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
    expect,
    volley,
)

from . import PATIENCE_SECONDS, costed, paged, request

LEVELS = {"optimizer": (12, 14, 16, 18)}  # each costs twice the one before: 60 would never end
TIMES = 5
MOST_MS = 50


def doubled(levels: int) -> str:
    """Return fragments of which each holds the next one twice, down to one name."""
    each = (f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(levels))
    return f"{{...F0}} {' '.join(each)} fragment F{levels} on Query{{__typename}}"


class TheGuardIsCheap(Experiment):
    slug = "the-guard-is-cheap"
    claim = (
        "A document of 2 kB whose fragments double 60 times is refused within 50 ms of processor "
        "time, and 40 requests beside 40 such documents are all answered."
    )
    holds = ("priced",)
    refuted = ("optimizer",)
    reports = (
        (
            "parse-community/parse-server#10344",
            "a check of complexity walks each spread of a fragment again: seconds for a small document",
            "a fragment is priced once",
        ),
        (
            "apache/apisix#13809",
            "a limit of depth follows fragments exponentially",
            "a fragment is priced once",
        ),
        (
            "strawberry-graphql/strawberry#4421",
            "limits of depth and aliases count through fragments, and expand them to do so",
            "neither limit is used: the price bounds both",
        ),
    )
    cpu = Series("ms of processor time for the document")
    refused = Series("documents that were not refused")
    unanswered = Series("requests beside it without an answer")
    chart = Chart(cpu, "ms of processor time", x="doublings", mark="points", bound=MOST_MS)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        costed(stack, variant, "{__typename}")  # what is imported once is no cost of the guard
        let_in = 0
        for levels in LEVELS.get(variant, (20, 30, 40, 50, 60)):
            found = [costed(stack, variant, doubled(levels)) for _ in self._times(variant)]
            let_in += sum(not each.errors for each in found)
            yield self.refused(let_in)
            yield self.cpu(statistics.median(each.cpu_ms for each in found), x=levels)
        if variant not in self.refuted:
            yield self.unanswered(self._unanswered(stack, variant))

    def _times(self, variant: str) -> range:
        return range(1 if variant in self.refuted else TIMES)

    def _unanswered(self, stack: Stack, variant: str) -> int:
        """Send both kinds in turn, many at once; return how many of the small ones got nothing."""
        little = f"{{airports({paged(stack, variant) % 3}){{code}}}}"
        both = [request(stack, variant, each) for each in (doubled(60), little)] * 40
        answers = volley(both, processes=2, connections=8, timeout_seconds=PATIENCE_SECONDS)
        small = [each for each in answers if each.request % 2]
        return sum(b'"JFK"' not in expect(each, 200).body for each in small)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        cpu = max(samples.values(self.cpu), default=0)
        words = "{measured} ms of processor time for a document of 2 kB, {bound} are allowed"
        cheap = Verdict.at_most(cpu, MOST_MS, words)
        if not cheap.holds:
            return cheap
        return (
            cheap
            & Verdict.at_most(samples.last(self.refused), 0, "{measured} documents let in")
            & Verdict.at_most(
                samples.last(self.unanswered), 0, "{measured} requests beside it unanswered"
            )
        )
