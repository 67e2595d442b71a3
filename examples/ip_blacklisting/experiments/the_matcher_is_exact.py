"""The matcher beside Python's `ipaddress`, through random changes of the list."""

from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
)

from . import replayed


class TheMatcherIsExact(Experiment):
    slug = "the-matcher-is-exact"
    claim = (
        "Through random additions, removals and expiries the matcher says what Python's `ipaddress` "
        "says, for 100,000 random addresses and those at the edges of every network."
    )
    holds = ("shield",)
    refuted = ("bisect",)
    wrong = Series("answers")
    addresses = Series("addresses")
    chart = Chart(wrong, "wrong answers", x="addresses asked for", bound=0)
    parameters = (Parameter("seeds", 5, 1, 50, "runs of 10 rounds"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        addresses = wrong = 0
        for found in replayed(stack, "match", variant, int(params["seeds"])):
            for seed in sorted({each["seed"] for each in found}):
                rounds = [each for each in found if each["seed"] == seed]
                for each in rounds:
                    asked = addresses + each["addresses"]
                    yield self.addresses(asked)
                    yield self.wrong(wrong + each["wrong"], x=asked)
                addresses += rounds[-1]["addresses"]
                wrong += rounds[-1]["wrong"]
            if wrong:
                return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {samples.last(self.addresses):,.0f} addresses wrong"
        return Verdict.at_most(samples.last(self.wrong), 0, words)
