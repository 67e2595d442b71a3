"""An attacker calls itself by a thousand names, then a victim asks under its own."""

import math
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from random import randrange

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
    volley,
)

from . import REFILL_PER_SECOND, admitted, forget, sent_by, some_address, timed, url, warm

VICTIM_ASKS = 20


class NoFreeIdentity(Experiment):
    slug = "no-free-identity"
    claim = (
        "An attacker who forges X-Forwarded-For and API keys in 1,000 ways gets one bucket, one "
        "who rotates through a /64 of IPv6 another, and neither empties the victim's."
    )
    holds = ("token_bucket",)
    refuted = ("drf_throttle", "django_ratelimit")
    attacker_admitted = Series("requests")
    attack_lasted = Series("seconds from the first request to the latest answer")
    victim_refused = Series("requests")
    chart = Chart(attacker_admitted, "requests of the attacker admitted", x="requests answered")
    parameters = (Parameter("forgeries", 1000, 200, 4000, "requests"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        target, victim, attacker = url(stack, variant), some_address(), some_address()
        warm([target])
        forget(stack)
        count = int(params["forgeries"])
        network = IPv6Address("2001:db8::") + (randrange(2**32) << 64)  # RFC 3849
        senders = [
            *(
                sent_by(attacker, forgery(n, victim), **{"X-API-Key": f"guess-{n}"})
                for n in range(count)
            ),
            *(sent_by(str(network + n)) for n in range(count // 4)),
        ]
        yield clock_starts()
        attack = volley([Request(target, each) for each in senders], processes=4, connections=10)
        got_in = refused = 0
        for number, (seconds, answer) in enumerate(timed(attack), 1):
            got_in += admitted(answer)
            yield self.attack_lasted(seconds)
            yield self.attacker_admitted(got_in, x=number)
        for _ in range(VICTIM_ASKS):
            refused += not admitted(ask(target, sent_by(victim)))
            yield self.victim_refused(refused)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        # Two identities: one of IPv4, and one /64 of IPv6.
        bound = 2 * (100 + math.floor(REFILL_PER_SECOND * samples.last(self.attack_lasted)))
        attacker = Verdict.at_most(
            samples.last(self.attacker_admitted),
            bound,
            "{measured} requests of the attacker admitted, two identities may have {bound}",
        )
        if not attacker.holds:
            return attacker
        return attacker & Verdict.at_most(
            samples.last(self.victim_refused),
            0,
            f"{{measured}} of {VICTIM_ASKS} requests of the victim refused",
        )


def forgery(number: int, victim: str) -> str:
    """Return the `number`-th way to lie in X-Forwarded-For."""
    address = str(IPv4Address(0x0B000000 + number))
    forms = (
        address,
        victim,
        f"{victim}, {address}",
        f"{address}:{1024 + number}",
        f"::ffff:{address}",
        f"[2001:db8::{number:x}]:443",
        f"127.0.0.{number % 256}",
        f"10.0.{number % 256}.1, {victim}",
        f"unknown-{number}",
        f'for="{address}"',
        f"{address}," * (number % 40 + 1),
        f"\t{address} , , ",
        f"999.{number}.1.1",
        f"fe80::{number:x}%eth0",
        f"{number}" * 200,
    )
    return forms[number % len(forms)]
