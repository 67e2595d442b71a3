"""Ten minutes of traffic, replayed through the detector."""

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


class AttackersYesPeopleNo(Experiment):
    slug = "attackers-yes-people-no"
    claim = (
        "In 20 replays of ten minutes a brute force ends within 12 requests, a scan within 25, a trap "
        "with the first, a flood within 61, a slow brute force within 12, a botnet within 40; of 500 "
        "people, 20 of them exits of providers, none is refused."
    )
    holds = ("shield",)
    refuted = ("ipware_ratelimit",)
    people = Series("people refused")
    missed = Series("attackers not stopped in time")
    through = Series("requests of an attacker, in times of those it may have")
    replays = Series("replays")
    chart = Chart(
        through,
        "times of what each attacker may",
        x="replays",
        mark="points",
        bound=1,
        logarithmic=True,
    )
    parameters = (Parameter("seeds", 20, 1, 100, "replays"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        people = missed = replays = 0
        for batch in replayed(stack, "replay", variant, int(params["seeds"])):
            for found in batch:
                replays += 1
                people += len(found["people"])
                for each in found["attackers"].values():
                    missed += not each["stopped"] or each["through"] > each["bound"]
                    yield self.through(each["through"] / each["bound"], x=replays)
                yield self.people(people)
                yield self.missed(missed)
                yield self.replays(replays)
            if people or missed:
                return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        replays = samples.last(self.replays)
        words = f"{{measured}} of {500 * replays:,.0f} people refused"
        people = Verdict.at_most(samples.last(self.people), 0, words)
        words = f"{{measured}} of {6 * replays:.0f} attackers missed"
        return people & Verdict.at_most(samples.last(self.missed), 0, words)
