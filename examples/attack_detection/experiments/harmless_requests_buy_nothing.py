"""254 hosts of a /24, another account each time, and one harmless request before each password."""

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

from . import sent_by, some_network, tries, url

TRIES, WITHIN = 300, 100
PER_SECOND = 100  # passwords


class HarmlessRequestsBuyNothing(Experiment):
    slug = "harmless-requests-buy-nothing"
    claim = (
        "A botnet in the 254 addresses of a /24, which sends a harmless request before each of its 100 "
        "passwords a second, tries at most 100 of them."
    )
    holds = ("detector",)
    refuted = ("thresholds",)
    reports = (
        (
            "auth-hf/auth-hf#15",
            "an attacker is who fails more than nine times in ten: a ratio that the attacker sets",
            "harmless requests have no say; accounts that sign in have",
        ),
        (
            "own-pay/OwnPay#149",
            "failures are counted for an account at an address: a hundred addresses have 500 tries",
            "neighbours are summed up, at most three failures of an account at an address",
        ),
    )
    tried = Series("passwords")
    chart = Chart(tried, "passwords tried")
    parameters = (Parameter("tries", TRIES, 250, 4_000, "passwords"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        network, requests = some_network(), list[Request]()
        for number in range(int(params["tries"])):
            address = f"{network}.{number % 254 + 1}"
            requests.append(Request(url(stack, variant), sent_by(address)))
            requests.append(tries(stack, variant, address, f"victim-{number}"))
        tried = 0
        yield clock_starts()
        for answer in volley(requests, processes=2, connections=10, rate=2 * PER_SECOND):
            tried += expect(answer, 200, 401, 403).status == 401
            yield self.tried(tried, at=answer.received)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} passwords tried, {bound} allowed"
        return Verdict.at_most(samples.last(self.tried), WITHIN, words)
