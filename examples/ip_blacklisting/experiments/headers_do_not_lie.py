"""Whatever a client writes into its headers, its address is the one that the proxy saw."""

import itertools
import json
import random
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

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
    UnexpectedAnswer,
    Verdict,
    clock_starts,
    volley,
)

from . import (
    FORBIDDEN,
    KNOWN_SECONDS,
    REFUSED,
    SERVED,
    Operator,
    asked_inside,
    processes_that,
    refused,
    sent_by,
    served,
    some_address,
    stranger,
    url,
)

INNER_PROXIES = ("10.0.0.7", "172.16.3.4", "192.168.77.1")
# A mistake in a ban: they hold proxies, this machine, or everybody. The last is none.
NEVER_BANNED = ("10.0.0.0/16", "127.0.0.1", "0.0.0.0/0", "64:ff9b::/96", "10.0.0.7/99")
# What some service believes, and every spelling that a server may take for X-Forwarded-For. The first is a
# line of its own in front of the one that the load generator appends to.
OTHER_NAMES = (
    *(
        "x-forwarded-for",
        "X_Forwarded_For",
        "X-Forwarded_For",
        "X_FORWARDED-FOR",
        "HTTP_X_FORWARDED_FOR",
    ),
    *("X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "X-Forwarded", "Client-IP"),
)


class HeadersDoNotLie(Experiment):
    slug = "headers-do-not-lie"
    claim = (
        "In 4,000 sets of headers, through nginx, HAProxy, a proxy that writes Forwarded and none, a banned "
        "client is refused in each, nobody is refused for a client who names them, and no proxy is banned."
    )
    holds = ("shield",)
    refuted = ("leftmost", "ipware_ratelimit")
    reports = (
        (
            "benoitc/gunicorn#2799",
            "`_` and `-` in the name of a header are one key in WSGI",
            "nginx and HAProxy pass such names on, and the server drops them",
        ),
    )
    wrong = Series("answers")
    banned_got_in = Series("answers")
    others_refused = Series("answers")
    own_networks_banned = Series("networks")
    answered = Series("answers")
    chart = Chart(wrong, "wrong answers", bound=0)
    parameters = (Parameter("sets", 4_000, 600, 50_000, "sets of headers"),)

    ENOUGH_WRONG = 200
    OTHERS = 997  # nobody asks so often that it is an attack

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        banned, others = some_address(), [stranger() for _ in range(self.OTHERS)]
        operator.ban(banned)
        counts = dict.fromkeys(self.series().values(), 0)
        target = url(stack, variant)
        proxies = [
            f"{stack.services[name]}{urlsplit(target).path}" for name in ("nginx", "haproxy")
        ]
        yield clock_starts()
        for _ in processes_that(refused, target, sent_by(banned), KNOWN_SECONDS):
            yield self.wrong(0)
        for proxy in (*INNER_PROXIES, *NEVER_BANNED):
            if operator.ban(proxy) == 201:
                counts[self.own_networks_banned] += 1
                operator.unban(proxy)
        counts[self.wrong] = counts[self.own_networks_banned]
        dice = random.Random(20261121)
        senders, requests = [], []
        total = int(params["sets"])
        proxied = total * 2 // 3
        for number in range(total):
            other = others[number % self.OTHERS]
            sender, named = (other, banned) if number % 5 == 0 else (banned, other)
            senders.append(sender)
            headers = forged_headers(dice, sender, named, behind=number < proxied)
            if self._forwards(number, proxied):
                headers["Forwarded"] = forwarded(dice, sender, named)
            requests.append(Request(proxies[number % 2], headers))
        answers = (
            (answer.received, answer.request, answer.status, served(answer))
            for answer in volley(requests[:proxied], processes=1, connections=16)
        )
        inside = self._inside(stack, variant, senders, requests, proxied)
        latest = 0.0  # answers of several connections come in any order
        for received, number, status, in_ in itertools.chain(answers, inside):
            counts[self.answered] += 1
            is_banned = senders[number] == banned
            if in_ if is_banned else status in FORBIDDEN:
                counts[self.banned_got_in if is_banned else self.others_refused] += 1
                counts[self.wrong] += 1
            latest = max(latest, received)
            for series, count in counts.items():
                yield series(count, at=latest)
            if counts[self.wrong] >= self.ENOUGH_WRONG:
                break

    @staticmethod
    def _forwards(number: int, proxied: int) -> bool:
        """Whether a set comes from a proxy that writes Forwarded: every other one that is asked inside."""
        return number >= proxied and number % 2 == 1

    def _inside(
        self, stack: Stack, variant: str, senders: list[str], requests: list[Request], first: int
    ) -> Iterator[tuple[float, int, int, bool]]:
        """Ask from peers that this machine cannot be: its own connections are loopback, which is trusted."""
        path = urlsplit(url(stack, variant)).path
        numbers = range(first, len(requests))
        for odd in (0, 1):
            asked = [number for number in numbers if number % 2 == odd]
            header = "HTTP_FORWARDED" if odd else "HTTP_X_FORWARDED_FOR"
            peers = [INNER_PROXIES[0] if odd else senders[number] for number in asked]
            given = [
                json.dumps([peer, dict(requests[number].headers)])
                for peer, number in zip(peers, asked, strict=True)
            ]
            said = asked_inside(stack, path, given, header)
            for number, (status, _) in zip(asked, said, strict=True):
                if status not in SERVED | REFUSED:
                    raise UnexpectedAnswer(f"status {status} for {requests[number].headers}")
                yield time.monotonic(), number, status, status in SERVED

    def judge(self, samples: Samples, params: Params) -> Verdict:
        wrong, answered = samples.last(self.wrong), samples.last(self.answered)
        words = f"{{measured}} of {answered:,.0f} answers wrong"
        if wrong:
            parts = (self.banned_got_in, self.others_refused, self.own_networks_banned)
            words += ": " + ", ".join(f"{samples.last(part):.0f} {part.name}" for part in parts)
        return Verdict.at_most(wrong, 0, words)


def forged_headers(dice: random.Random, sender: str, named: str, *, behind: bool) -> dict[str, str]:
    """Return what reaches the inner proxy, or the service itself, if *sender* tries to be *named*."""
    headers = {}
    for name in OTHER_NAMES:
        if dice.random() < 0.15:
            headers[name] = lie(dice, named)
    if dice.random() < 0.2:
        headers["Forwarded"] = f'for="{lie(dice, named)}";proto=https'
    forged = ", ".join(lie(dice, named) for _ in range(dice.randrange(4)))
    if behind:
        headers |= sent_by(sender, forged)
        if dice.random() < 0.5:
            headers["X-Forwarded-For"] += f", {dice.choice(INNER_PROXIES)}"
    elif forged:
        headers["X-Forwarded-For"] = forged
    return headers


def forwarded(dice: random.Random, sender: str, named: str) -> str:
    """Return Forwarded as a proxy writes it, behind what the client wrote there."""
    quoted = f'host="a,for={named};\\"x=\\",for={named}"'
    own = dice.choice(
        (f"for={sender}", f'for="{sender}:4711";proto=https', f"{quoted};for={sender}")
    )
    forged = dice.choice(
        (f"for={named}", f'for={named};by="', f'"{lie(dice, named)}', f"for={named},")
    )
    inner = dice.choice(("", f", for={INNER_PROXIES[1]}", f', for="{INNER_PROXIES[2]}:80"'))
    return f"{forged}, {own}{inner}"


def lie(dice: random.Random, named: str) -> str:
    """Return one hop that a client may write by itself."""
    return dice.choice(
        (
            named,
            named,
            f"{named}:{dice.randrange(1, 65536)}",
            f"::ffff:{named}",
            f"[::ffff:{named}]:443",
            f" {named}\t",
            f'"{named}"',
            f"for={named}",
            dice.choice(INNER_PROXIES),
            "127.0.0.1",
            "::1",
            "unknown",
            "_hidden",
            "",
            "999.1.1.1",
            "01.2.3.4",
            "1.2.3",
            "0x7f000001",
            "2001:db8::" + format(dice.randrange(65536), "x"),
            "fe80::1%eth0",
            "64:ff9b::" + named,
            "," * dice.randrange(1, 40),
            "7" * dice.randrange(1, 300),
        )
    )
