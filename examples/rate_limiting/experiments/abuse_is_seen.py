"""190 addresses at 0.5 requests a second, ten partners with API keys at 8, one abuser at 8."""

import json
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
    ask,
    clock_starts,
    expect,
    volley,
)

from . import admitted, forget, sent_by, some_address, url

DETECTORS = {"token_bucket": "ewma", "fixed_window": "threshold"}
ADDRESSES, PARTNERS = 190, 10
WITHIN = 100
LOOK_SECONDS = 0.5

type Sending = tuple[float, str, dict[str, str]]  # when, who, with which headers


class AbuseIsSeen(Experiment):
    slug = "abuse-is-seen"
    claim = (
        "One abuser among 200 normal clients is named within 100 of its requests, and no normal "
        "client is, although partners with API keys send as much as the abuser."
    )
    holds = ("token_bucket",)
    refuted = ("fixed_window",)
    named = Series("requests the abuser had sent")
    named_wrongly = Series("normal clients")
    # What tells a detector from a threshold: both name the abuser, one names partners with it.
    chart = Chart(named_wrongly, "normal clients named as abusers")
    parameters = (
        Parameter("calm", 5, 4, 20, "s"),
        Parameter("abuse", 5, 4, 20, "s"),
        Parameter("rate", 8, 4, 40, "requests/s"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        addresses, abuser = [some_address() for _ in range(ADDRESSES)], some_address()
        partners = [f"partner-{number}" for number in range(PARTNERS)]
        # Whom the events speak of: what a detector says late of the experiment before is not counted.
        pseudonym, *normal = stack.manage(
            "limits", "pseudonym", "address", abuser, *addresses
        ).split()
        normal += stack.manage("limits", "pseudonym", "key", *partners).split()
        keys = stack.manage("limits", "key", *partners).split()
        sendings = schedule(addresses, keys, abuser, params)
        target = url(stack, variant, "bulk")
        requests = [Request(target, headers) for _, _, headers in sendings]
        rate = len(requests) / (params["calm"] + params["abuse"])
        sent, seen, looked = 0, set[str](), 0.0
        yield clock_starts()
        for answer in volley(requests, processes=2, connections=40, rate=rate):
            if sendings[answer.request][1] == "abuser" and admitted(answer):
                sent += 1
            if answer.received < looked + LOOK_SECONDS:
                continue
            looked = answer.received
            before = pseudonym in seen
            seen |= clients_named(stack, DETECTORS[variant])
            if pseudonym in seen and not before:
                yield self.named(sent)
            yield self.named_wrongly(len(seen.intersection(normal)))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        wrong = samples.last(self.named_wrongly)
        right = Verdict.at_most(wrong, 0, "{measured} of 200 normal clients named")
        if not right.holds:
            return right
        found = samples.values(self.named)
        if not found:
            return Verdict.at_least(0, 1, "{measured} of {bound} abusers named") & right
        words = "the abuser named after {measured} of its requests, {bound} allowed"
        return Verdict.at_most(found[0], WITHIN, words) & right


def schedule(addresses: list[str], keys: list[str], abuser: str, params: Params) -> list[Sending]:
    """Return who sends what, in the order of time, at a constant total rate in each phase."""
    end = params["calm"] + params["abuse"]
    sendings = steady(params["rate"], params["calm"], end, "abuser", sent_by(abuser))
    for key in keys:
        sendings += steady(8, 0, end, "partner", sent_by(some_address(), **{"X-API-Key": key}))
    for address in addresses:
        sendings += steady(0.5, 0, end, "address", sent_by(address))
    return sorted(sendings, key=lambda sending: sending[0])


def steady(
    rate: float, begin: float, end: float, who: str, headers: dict[str, str]
) -> list[Sending]:
    """Return one client's requests, evenly spaced from a random moment on."""
    offset = random.random()
    count = int(rate * (end - begin))
    return [(begin + (number + offset) / rate, who, headers) for number in range(count)]


def clients_named(stack: Stack, detector: str) -> set[str]:
    """Return the pseudonyms of the clients that `detector` has named."""
    answer = ask(f"{stack.url}/api/abuse/", {"Authorization": f"Bearer {stack.staff_token}"})
    events = json.loads(expect(answer, 200).body)["events"]
    return {str(event["client"]) for event in events if event["detector"] == detector}
