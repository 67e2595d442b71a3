"""However a proxy writes its address, and from whichever address of its /64."""

import random
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

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
    volley,
)

from . import (
    KNOWN_SECONDS,
    Operator,
    processes_that,
    refused,
    sent_by,
    served,
    some_address,
    url,
)


class OneAttackerOneKey(Experiment):
    slug = "one-attacker-one-key"
    claim = (
        "A banned client is refused in every notation of its address, and from 1,000 addresses of its "
        "/64 of IPv6."
    )
    holds = ("shield",)
    refuted = ("leftmost",)
    escaped = Series("answers")
    asked = Series("answers")
    chart = Chart(escaped, "requests of banned clients that were served", bound=0)
    parameters = (Parameter("addresses", 1000, 50, 10_000, "addresses of a /64"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        target = url(stack, variant)
        old, network = some_address(), random.randrange(2**32)
        new = str(IPv6Address((0x20010DB8 << 96) + (network << 64) + 1))
        yield clock_starts()
        for address in (old, new):
            operator.ban(address)
            for _ in processes_that(refused, target, sent_by(address), KNOWN_SECONDS):
                yield self.escaped(0)
        first = int(IPv6Address(new))
        neighbours = [str(IPv6Address(first + n)) for n in range(int(params["addresses"]))]
        hops = [*notations(old), *notations(new), *neighbours]
        escaped = 0
        answers = volley(
            [Request(target, sent_by(hop)) for hop in hops], processes=1, connections=8
        )
        for asked, answer in enumerate(answers, 1):
            escaped += served(answer)
            yield self.asked(asked, at=answer.received)
            yield self.escaped(escaped, at=answer.received)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {samples.last(self.asked):,.0f} requests of banned clients served"
        return Verdict.at_most(samples.last(self.escaped), 0, words)


def notations(text: str) -> list[str]:
    """Return what proxies write for one address."""
    address = ip_address(text)
    if address.version == 4:
        mapped = IPv6Address(f"::ffff:{text}")
        return [
            text,
            f"{text}:443",
            f"::ffff:{text}",
            f"[::ffff:{text}]:443",
            str(mapped),
            mapped.exploded,
            f"64:ff9b::{text}",
        ]
    full = address.exploded
    return [text, text.upper(), full, full.upper(), f"[{text}]", f"[{full}]:443", f"{text}%eth0"]
