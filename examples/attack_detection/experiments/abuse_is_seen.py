"""190 addresses at 0.5 requests a second, ten partners at 8, one abuser at 8."""

import random
from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    expect,
    volley,
)

from . import findings, latest, sent_by, signs_in, some_address, url

ADDRESSES, PARTNERS = 190, 10
WITHIN = 100
LOOK_SECONDS = 0.5
ENOUGH_WRONG = 2  # normal clients

type Sending = tuple[float, str, dict[str, str]]  # when, from where, with which headers


class AbuseIsSeen(Experiment):
    slug = "abuse-is-seen"
    claim = (
        "One abuser among 200 normal clients is named within 100 of its requests, and no normal "
        "client is, although partners send as much as the abuser."
    )
    holds = ("detector",)
    refuted = ("thresholds",)
    named = Series("requests the abuser had sent")
    named_wrongly = Series("normal clients")
    # What tells a detector from a threshold: both would name the abuser, one names partners before it.
    chart = Chart(named_wrongly, "normal clients named as abusers")
    parameters = (
        Parameter("calm", 2, 2, 20, "s"),
        Parameter("abuse", 10, 8, 30, "s"),
        Parameter("rate", 8, 6, 40, "requests/s"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        before = latest(stack, variant)
        abuser, addresses, partners = (
            some_address(),
            some_addresses(ADDRESSES),
            some_addresses(PARTNERS),
        )
        sendings = schedule(addresses, partners, abuser, params)
        requests = [Request(url(stack, variant), headers) for _, _, headers in sendings]
        rate = len(requests) / (params["calm"] + params["abuse"])
        sent, looked, seen = 0, 0.0, set[str]()
        yield clock_starts()
        for answer in volley(requests, processes=2, connections=40, rate=rate):
            expect(answer, 200, 403)
            sent += sendings[answer.request][1] == abuser
            if answer.received < looked + LOOK_SECONDS:
                continue
            looked = answer.received
            new = {network(each["network"]) for each in findings(stack, variant, before)} - seen
            seen |= new
            if network(abuser) in new:
                yield self.named(sent)
            wrong = len(seen & set(map(network, addresses + partners)))
            yield self.named_wrongly(wrong)
            if wrong >= ENOUGH_WRONG:
                return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        wrong = Verdict.at_most(
            samples.last(self.named_wrongly), 0, "{measured} of 200 normal clients named"
        )
        found = samples.values(self.named)
        if not wrong.holds:
            return wrong
        if not found:
            return wrong & Verdict.at_least(0, 1, "{measured} of {bound} abusers named")
        words = "the abuser named after {measured} of its requests, {bound} allowed"
        return wrong & Verdict.at_most(found[0], WITHIN, words)


def some_addresses(count: int) -> list[str]:
    return [some_address() for _ in range(count)]


def network(text: str) -> str:
    """Return the /24 of an address or network: all that is told of a client."""
    return text.rpartition(".")[0]


def schedule(
    addresses: list[str], partners: list[str], abuser: str, params: Params
) -> list[Sending]:
    """Return who sends what, in the order of time, at a constant total rate in each phase."""
    end = params["calm"] + params["abuse"]
    sendings = steady(params["rate"], params["calm"], end, abuser)
    for number, address in enumerate(partners):
        sendings += steady(8, 0, end, address, Authorization=signs_in(f"partner-{number}"))
    for address in addresses:
        sendings += steady(0.5, 0, end, address)
    return sorted(sendings, key=lambda sending: sending[0])


def steady(rate: float, begin: float, end: float, address: str, **headers: str) -> list[Sending]:
    """Return one client's requests, evenly spaced from a random moment on."""
    offset, count = random.random(), int(rate * (end - begin))
    said = sent_by(address, **headers)
    return [(begin + (number + offset) / rate, address, said) for number in range(count)]
