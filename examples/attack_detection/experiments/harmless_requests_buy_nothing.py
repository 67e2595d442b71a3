"""254 hosts of a /24, another account each time, and one harmless request before each password."""

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
    ask,
    clock_starts,
    expect,
)

from . import judged, sent_by, some_network, tries, url

TRIES, WITHIN = 300, 100
AT_ONCE = 25  # passwords: all are judged before the next is sent


class HarmlessRequestsBuyNothing(Experiment):
    slug = "harmless-requests-buy-nothing"
    claim = (
        "A botnet in the 254 addresses of a /24, which sends a harmless request before each of its 300 "
        "passwords, and 25 passwords before it is judged again, tries at most 100."
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
    chart = Chart(tried, "passwords tried", x="passwords sent")
    parameters = (Parameter("tries", TRIES, 250, 1_000, "passwords"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        network, tried = some_network(), 0
        yield clock_starts()
        for number in range(int(params["tries"])):
            address = f"{network}.{number % 254 + 1}"
            expect(ask(url(stack, variant), sent_by(address)), 200, 403)
            answer = expect(ask(tries(stack, variant, address, f"victim-{number}")), 401, 403)
            tried += answer.status == 401
            if (number + 1) % AT_ONCE == 0:
                judged(stack, variant)
                yield self.tried(tried, x=number + 1)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} passwords tried, {bound} allowed"
        return Verdict.at_most(samples.last(self.tried), WITHIN, words)
