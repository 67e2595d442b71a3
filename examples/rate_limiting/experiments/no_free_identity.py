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

from . import (
    REFILL_PER_SECOND,
    admitted,
    admitted_by_redis,
    decided_apart,
    forget,
    sent_by,
    some_address,
    timed,
    url,
    warm,
)

VICTIM_ASKS = 20
DUE = 2 * 100  # of an identity of IPv4, and of a network of IPv6
EVERY = 50  # answers from sample to sample
# WSGI gives them the key of X-Forwarded-For; some servers keep both lines, and the later one wins.
SPELLINGS = ("X_Forwarded_For", "x_forwarded-for", "X-Forwarded_For", "x-forwarded_for")
# The example's own check asks a server beside it, whose peers are trusted; what it says is counted.
CHECK = """
import os
from django.conf import settings
from django.core.checks import run_checks
settings.SITE_URL = f"http://127.0.0.1:{os.environ['PORT']}"
print(len(run_checks(tags=["site"])))
"""


class NoFreeIdentity(Experiment):
    slug = "no-free-identity"
    claim = (
        "Through nginx, an attacker who forges X-Forwarded-For, its spellings with `_`, and API keys "
        "in 1,000 ways gets one bucket however the edge writes its address, one who rotates through "
        "a /64 of IPv6 another, and neither empties the victim's."
    )
    holds = ("token_bucket",)
    refuted = ("drf_throttle", "django_ratelimit")
    reports = (
        (
            "benoitc/gunicorn#2799",
            "`X_Forwarded_For` and `X-Forwarded-For` are one name in WSGI, and the later line wins",
            "the server drops names with `_`; the claim sends them through nginx",
        ),
    )
    wrong = Series("requests")
    attacker_admitted = Series("requests")
    victim_refused = Series("requests")
    without_redis = Series("decisions", "without Redis")
    complaints = Series("complaints", "of `check --tag site`")
    chart = Chart(wrong, "requests decided for the wrong client", x="requests answered")
    parameters = (Parameter("forgeries", 1000, 400, 4000, "requests"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        # Through nginx, set to pass on names with `_`; containers are behind it anyway.
        edge = stack.services.get("nginx", stack.url)
        target = url(stack, variant).replace(stack.url, edge)
        victim, attacker = some_address(), some_address()
        warm([target])
        forget(stack)
        count = int(params["forgeries"])
        network = IPv6Address("2001:db8::") + (randrange(2**32) << 64)  # RFC 3849
        senders = [
            *(
                sent_by(
                    written(attacker, n),
                    forgery(n, victim),
                    **{"X-API-Key": f"guess-{n}", SPELLINGS[n % len(SPELLINGS)]: some_address()},
                )
                for n in range(count)
            ),
            *(sent_by(written(str(network + n), n)) for n in range(count // 4)),
        ]
        yield clock_starts()
        attack = volley([Request(target, each) for each in senders], processes=4, connections=10)
        got_in = refused = number = wrong = apart = 0
        for number, (seconds, answer) in enumerate(timed(attack), 1):
            got_in += admitted_by_redis(answer)
            apart += decided_apart(answer)
            wrong = max(0, got_in - DUE - 2 * math.floor(REFILL_PER_SECOND * seconds))
            if number % EVERY == 0:
                yield self.attacker_admitted(got_in)
                yield self.without_redis(apart)
                yield self.wrong(wrong, x=number)
        for _ in range(VICTIM_ASKS):
            refused += not admitted(ask(target, sent_by(victim)))
        yield self.victim_refused(refused)
        yield self.wrong(wrong + refused, x=number + VICTIM_ASKS)
        if variant in self.holds:
            yield self.complaints(int(stack.manage("shell", "--no-imports", "-c", CHECK)))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        got_in = samples.last(self.attacker_admitted)
        refused = samples.last(self.victim_refused, default=0)
        words = (
            f"{{measured}} requests decided for the wrong client ({got_in:,.0f} of the attacker's"
            f" two identities admitted, {refused:.0f} of {VICTIM_ASKS} of the victim refused)"
        )
        right = Verdict.at_most(samples.last(self.wrong), 0, words)
        if not right.holds:
            return right
        # Redis may have charged what it was too late to answer.
        apart = samples.last(self.without_redis)
        asked = samples.of(self.wrong)[-1].x or 0
        said = Verdict.at_most(
            samples.last(self.complaints, 0),
            0,
            "{measured} complaints of the check, {bound} allowed",
        )
        return (
            right.provided(said)
            .provided(
                Verdict.at_least(
                    got_in + apart, DUE, "{measured} requests admitted, {bound} are due"
                )
            )
            .provided(
                Verdict.at_most(
                    apart, asked / 2, "{measured} decided without Redis, {bound} allowed"
                )
            )
        )


def written(address: str, number: int) -> str:
    """Return `address` as one of several edges writes it: as it is, with the port, or as IPv6.

    Application gateways of Azure append `address:port`, sockets for both protocols know an IPv4 client by
    its mapped address (RFC 4291), and a translator by that of its prefix (RFC 6052).
    """
    if ":" in address:
        return (address, f"[{address}]:{1024 + number}")[number % 2]
    forms = (address, f"{address}:{1024 + number}", f"::ffff:{address}", f"64:ff9b::{address}")
    return forms[number % len(forms)]


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
