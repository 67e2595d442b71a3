"""The claims of this example, each driven against a running stack and judged from what it answered.

The load generator plays the outermost proxy: it appends the client's true address to X-Forwarded-For,
as a real edge does, behind whatever the client forged.
"""

import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import chain, repeat
from statistics import median

from redis import Redis

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    Parameter,
    Params,
    Request,
    Sample,
    Stack,
    UnexpectedAnswer,
    Verdict,
    ask,
    last,
    rest,
    values,
    volley,
)

ENTRY_POINTS = {"token_bucket": ("token_bucket", "token_bucket_drf", "token_bucket_decorator")}
DETECTORS = {"token_bucket": "ewma", "fixed_window": "threshold"}
REFILL_PER_SECOND = 100 / 60  # of the rule sets `airports`, `open` and `closed`


def some_address() -> str:
    """Return an address of the block reserved for benchmarks (RFC 2544), a new one for each run."""
    return str(IPv4Address("198.18.0.0") + random.randrange(2**17))


def some_network() -> IPv6Address:
    """Return the first address of some /64 of the documentation block (RFC 3849)."""
    return IPv6Address("2001:db8::") + (random.randrange(2**32) << 64)


def sent_by(address: str, forged: str = "", **headers: str) -> dict[str, str]:
    """Return the headers with which the edge passes on a request of `address`."""
    return {"X-Forwarded-For": f"{forged}, {address}" if forged else address, **headers}


def url(stack: Stack, variant: str, rules: str = "airports") -> str:
    path = variant if rules == "airports" else f"{variant}/{rules}"
    return f"{stack.url}/api/{path}/airports/JFK/"


def forget(stack: Stack) -> None:
    """Empty Redis: variants that count by peer address would remember the experiment before."""
    with Redis.from_url(stack.services["redis"]) as store:
        store.flushall()


def admitted(answer: Answer) -> bool:
    """Whether the request got in.

    Raises:
        UnexpectedAnswer: it was neither admitted nor refused.
    """
    if answer.status not in (200, 429):
        said = answer.error or answer.body[:200].decode(errors="replace")
        raise UnexpectedAnswer(f"status {answer.status}: {said}")
    return answer.status == 200


def warm(doors: Sequence[str]) -> None:
    """Ask as other clients, so that no thread of a server still has to connect to Redis.

    What is decided while it connects is not decided by Redis.
    """
    others = [Request(doors[n % len(doors)], sent_by(some_address())) for n in range(200)]
    for answer in volley(others, processes=2, connections=25):
        admitted(answer)


def timed(answers: Iterable[Answer]) -> Iterator[tuple[float, Answer]]:
    """Yield each answer after the seconds from the first request sent to the latest answer so far.

    Answers of several processes do not come in the order of their requests: which was the first is
    known when the last is there.
    """
    first, latest = math.inf, 0.0
    for answer in answers:
        first, latest = min(first, answer.sent), max(latest, answer.received)
        yield latest - first, answer


class BurstIsBounded(Experiment):
    slug = "burst-is-bounded"
    claim = (
        "Of 2,000 requests that one client sends at once from 8 processes to 4 server processes, "
        "a limit of 100 admits 100 and what refills meanwhile, through all three entry points mixed."
    )
    holds = ("fixed_window", "token_bucket")
    refuted = ("unprotected", "drf_throttle")
    units = {"admitted": "requests", "refused": "requests", "without Redis": "decisions"}
    chart = Chart("admitted", "requests admitted")
    parameters = (
        Parameter("requests", 2000, 200, 10_000, "requests"),
        Parameter("clients", 8, 1, 16, "processes"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        doors = [url(stack, door) for door in ENTRY_POINTS.get(variant, (variant,))]
        warm(doors)
        forget(stack)
        headers = sent_by(some_address())
        requests = [Request(doors[n % len(doors)], headers) for n in range(int(params["requests"]))]
        answers = volley(requests, processes=int(params["clients"]), connections=25)
        yield from _counted(answers)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        got_in = last(samples, "admitted")
        bound = 100 + math.floor(REFILL_PER_SECOND * samples[-1].seconds)
        word = "<=" if got_in <= bound else ">"
        over = got_in + last(samples, "refused") >= params["requests"]
        holds = got_in <= bound and (got_in >= 100 or not over)
        figure = f"admitted {got_in:.0f} {word} {bound}"
        if apart := last(samples, "without Redis"):  # no excuse, but the reason
            figure += f", {apart:.0f} decided without Redis"
        return Verdict(holds, figure, got_in, bound)


def _counted(answers: Iterator[Answer]) -> Iterator[Sample]:
    """Yield how many were admitted and refused so far, by the time of the answer."""
    counts = {"admitted": 0, "refused": 0, "without Redis": 0}
    for seconds, answer in timed(answers):
        series = "admitted" if admitted(answer) else "refused"
        counts[series] += 1
        yield Sample(seconds, series, counts[series])
        if "ratelimit-mode" in answer.headers:
            counts["without Redis"] += 1
            yield Sample(seconds, "without Redis", counts["without Redis"])


class NoCliff(Experiment):
    """Probe, attack across the end of the probe's window, and attack again eleven seconds later.

    A window that begins with its first request has its seam four seconds after the probe. One that
    follows the clock has it anywhere: where the first attack begins with it, and gets a single
    limit's worth, the second has it in its middle, after a window in which nothing was asked.
    """

    slug = "no-cliff"
    claim = (
        "With a strict policy no window of 4 seconds, wherever it begins, admits more than 100 "
        "requests."
    )
    holds = ("token_bucket",)
    refuted = ("fixed_window", "django_ratelimit")
    units = {"admitted": "seconds from question to answer"}
    chart = Chart("admitted", "requests admitted in the last 4 s", window_seconds=4, bound=100)
    parameters = (Parameter("rate", 300, 100, 600, "requests/s"),)

    WINDOW_SECONDS = 4.0
    LIMIT = 100

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        request = Request(url(stack, variant, "strict"), sent_by(some_address()))
        start = time.monotonic()
        seen = list(_moments(iter([ask(request.url, request.headers)]), start))
        yield from seen
        for begin, seconds in ((2.6, 5.6), (13.6, 2.6)):
            rest(max(0, start + begin - time.monotonic()))
            requests = [request] * int(params["rate"] * seconds)
            attack = volley(requests, processes=2, connections=40, rate=params["rate"])
            for sample in _moments(attack, start):
                seen.append(sample)
                yield sample
            if not self.judge(seen, params).holds:
                return  # one window too full is enough

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        # A request counts only if question and answer both lie in the window: never one too many.
        spans = sorted((each.seconds - each.value, each.seconds) for each in samples)
        most = max(
            sum(
                sent >= begin and received <= begin + self.WINDOW_SECONDS
                for sent, received in spans
            )
            for begin, _ in spans
        )
        word = "<=" if most <= self.LIMIT else ">"
        return Verdict(most <= self.LIMIT, f"{most} in 4 s {word} {self.LIMIT}", most, self.LIMIT)


def _moments(answers: Iterator[Answer], start: float) -> Iterator[Sample]:
    for answer in answers:
        if admitted(answer):
            yield Sample(answer.received - start, "admitted", answer.seconds)


class RetryAfterIsTrue(Experiment):
    slug = "retry-after-is-true"
    claim = (
        "A client that waits exactly Retry-After is never refused again, and gets its full rate "
        "of 1.5 requests per second."
    )
    holds = ("token_bucket",)
    refuted = ("fixed_window",)
    units = {
        "admitted": "requests",
        "waited": "seconds of Retry-After",
        "refused after waiting": "requests",
        "due": "requests",
    }
    chart = Chart("refused after waiting", "refusals after a full wait")
    parameters = (Parameter("seconds", 8, 4, 30, "s"),)

    PACE_SECONDS = 0.12
    RATE_PER_SECOND = 1.5
    ENOUGH_BROKEN = 20  # a client told to wait 0 s would otherwise come back hundreds of times

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        target, headers = url(stack, variant, "steady"), sent_by(some_address())
        start = time.monotonic()
        refusal = self._spend(target, headers)[-1]
        drained = refusal.received
        got_in = broken = 0
        while time.monotonic() < drained + params["seconds"] and broken < self.ENOUGH_BROKEN:
            wait = float(refusal.headers["retry-after"])
            yield Sample(refusal.received - start, "waited", wait)
            rest(max(0, refusal.received + wait - time.monotonic()))
            answers = self._spend(target, headers)
            broken += len(answers) == 1
            got_in += len(answers) - 1
            refusal = answers[-1]
            now = refusal.received - start
            yield Sample(now, "refused after waiting", broken)
            yield Sample(now, "admitted", got_in)
            # From the first refusal's answer to the last one's question: the bucket saw no less time.
            due = math.floor(self.RATE_PER_SECOND * (refusal.sent - drained))
            yield Sample(now, "due", due)

    def _spend(self, target: str, headers: dict[str, str]) -> list[Answer]:
        """Ask at a steady pace until refused; the refusal is the last answer."""
        answers = [ask(target, headers)]
        while admitted(answers[-1]):
            rest(self.PACE_SECONDS)
            answers.append(ask(target, headers))
        return answers

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        broken, waits = (
            last(samples, "refused after waiting"),
            sum(s.series == "waited" for s in samples),
        )
        got_in, due = last(samples, "admitted"), last(samples, "due")
        figure = f"{broken:.0f} of {waits} waits refused, {got_in:.0f} of {due:.0f} due admitted"
        return Verdict(broken == 0 and got_in >= 0.99 * due, figure, broken, 0)


class NoFreeIdentity(Experiment):
    slug = "no-free-identity"
    claim = (
        "An attacker who forges X-Forwarded-For and API keys in 1,000 ways gets one bucket, one "
        "who rotates through a /64 of IPv6 another, and neither empties the victim's."
    )
    holds = ("token_bucket",)
    refuted = ("drf_throttle", "django_ratelimit")
    units = {
        "attacker admitted": "requests",
        "victim admitted": "requests",
        "victim asked": "requests",
        "without Redis": "decisions",
    }
    # Two identities, 100 each; what refills in the one or two seconds of an attack is a few more.
    chart = Chart("attacker admitted", "requests of the attacker admitted", bound=200)
    parameters = (Parameter("forgeries", 1000, 200, 4000, "requests"),)

    VICTIM_ASKS = 20

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        warm([url(stack, variant)])
        forget(stack)
        target, victim, attacker = url(stack, variant), some_address(), some_address()
        forged = [
            Request(
                target,
                sent_by(attacker, _forgery(number, victim), **{"X-API-Key": f"guess-{number}"}),
            )
            for number in range(int(params["forgeries"]))
        ]
        network = some_network()
        rotating = [
            Request(target, sent_by(str(network + number))) for number in range(len(forged) // 4)
        ]
        attack = volley([*forged, *rotating], processes=4, connections=10)
        questions = (ask(target, sent_by(victim)) for _ in range(self.VICTIM_ASKS))
        askers = chain(
            repeat(("attacker", "sent"), len(forged) + len(rotating)), repeat(("victim", "asked"))
        )
        counts: dict[str, int] = defaultdict(int)
        for (who, asked), (seconds, answer) in zip(
            askers, timed(chain(attack, questions)), strict=False
        ):
            alone = "ratelimit-mode" in answer.headers
            for series in (
                *(f"{who} admitted",) * admitted(answer),
                *("without Redis",) * alone,
                f"{who} {asked}",
            ):
                counts[series] += 1
                yield Sample(seconds, series, counts[series])

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        attacker = last(samples, "attacker admitted")
        victim, asked = last(samples, "victim admitted"), last(samples, "victim asked")
        end = max(each.seconds for each in samples if each.series.startswith("attacker"))
        bound = 2 * (100 + math.floor(REFILL_PER_SECOND * end))
        figure = (
            f"attacker {attacker:.0f} admitted, {bound} allowed to two identities; "
            f"victim {victim:.0f} of {asked:.0f}"
        )
        if apart := last(samples, "without Redis"):  # no excuse, but the reason
            figure += f", {apart:.0f} decided without Redis"
        wronged = max(0, attacker - bound) + max(0, asked - victim)
        return Verdict(wronged == 0, figure, wronged, 0)


def _forgery(number: int, victim: str) -> str:
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


class SurvivesRedis(Experiment):
    """Freeze Redis under load, then stop it, then bring it back: every rule set keeps its promise."""

    slug = "survives-redis"
    claim = (
        "With Redis frozen or gone every request is answered within 1 s and without a server error, "
        "as its policy says (open, closed, local), and counting is exact again within 5 s of its return."
    )
    holds = ("token_bucket",)
    refuted = ("drf_throttle", "django_ratelimit")
    units = {
        "answer": "seconds from question to answer",
        "server error": "HTTP status",
        "unanswered": "requests given up after 3 s",
        "open refused": "requests",
        "closed admitted": "requests",
        "local admitted": "requests",
        "exact again": "seconds since Redis returned",
        "admitted after": "requests",
        "allowed after": "requests",
    }
    chart = Chart(
        "answer", "seconds from question to answer", mark="points", bound=1.0, logarithmic=True
    )
    parameters = (
        Parameter("rate", 60, 20, 200, "requests/s"),
        Parameter("outage", 2.5, 1, 10, "s"),
    )

    SLOWEST_SECONDS = 1.0
    GIVEN_UP_SECONDS = 3.0
    RETURN_SECONDS = 5.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        # Requests that another variant left hanging in the server would be waited for by this one's.
        stack.restart("web")
        stack.wait_ready()
        start = time.monotonic()
        for outage in (stack.paused, stack.stopped):
            with outage("redis"):
                yield from self._outage(stack, variant, params, start)
            yield from self._return(stack, variant, start)

    def _outage(self, stack: Stack, variant: str, params: Params, start: float) -> Iterator[Sample]:
        rule_sets = ("open", "closed", "airports") if variant == "token_bucket" else ("airports",)
        address = some_address()
        requests = [
            Request(url(stack, variant, rule_sets[number % len(rule_sets)]), sent_by(address))
            for number in range(int(params["rate"] * params["outage"]))
        ]
        in_local = 0
        attempts = volley(
            requests,
            processes=2,
            # Enough that each leaves when it is due, however many of them hang.
            connections=math.ceil(params["rate"] / 2 * self.GIVEN_UP_SECONDS),
            timeout_seconds=self.GIVEN_UP_SECONDS,
            rate=params["rate"],
        )
        for answer in attempts:
            now = answer.received - start
            rules = rule_sets[answer.request % len(rule_sets)]
            yield Sample(now, "answer", answer.seconds)
            if not answer.status:
                yield Sample(now, "unanswered", 1)
            elif answer.status not in (200, 429):
                yield Sample(now, "server error", answer.status)
            elif rules == "open" and answer.status != 200:
                yield Sample(now, "open refused", 1)
            elif rules == "closed" and answer.status == 200:
                yield Sample(now, "closed admitted", 1)
            elif rules == "airports" and answer.status == 200:
                in_local += 1
                yield Sample(now, "local admitted", in_local)

    def _return(self, stack: Stack, variant: str, start: float) -> Iterator[Sample]:
        if variant != "token_bucket":
            return
        returned = time.monotonic()
        # Each of four processes finds out for itself; forty exact answers in a row come from all of them,
        # but for one time in 25,000.
        exact = 0
        while exact < 40 and time.monotonic() < returned + 2 * self.RETURN_SECONDS:
            answer = ask(url(stack, variant), sent_by(some_address()))
            exact = exact + 1 if "ratelimit-mode" not in answer.headers else 0
        now = time.monotonic()
        yield Sample(now - start, "exact again", now - returned)
        request = Request(url(stack, variant), sent_by(some_address()))
        answers = list(volley([request] * 300, processes=2, connections=20))
        spent = max(each.received for each in answers) - min(each.sent for each in answers)
        now = time.monotonic() - start
        yield Sample(now, "admitted after", sum(map(admitted, answers)))
        yield Sample(now, "allowed after", 100 + math.floor(REFILL_PER_SECOND * spent))

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        found: dict[str, list[float]] = defaultdict(list)
        for each in samples:
            found[each.series].append(each.value)
        # Four processes keep a quarter of 100 each, and refill at a quarter of the rate.
        share = 100 + REFILL_PER_SECOND * params["outage"]
        after = zip(found["admitted after"], found["allowed after"], strict=False)
        broken = {
            "server errors": len(found["server error"]),
            "unanswered": len(found["unanswered"]),
            "later than 1 s": sum(seconds > self.SLOWEST_SECONDS for seconds in found["answer"]),
            "refused by open": len(found["open refused"]),
            "admitted by closed": len(found["closed admitted"]),
            "above the local share": sum(count > share for count in found["local admitted"]),
            "inexact after the return": sum(not 100 <= count <= bound for count, bound in after),
            "late returns": sum(seconds > self.RETURN_SECONDS for seconds in found["exact again"]),
        }
        figure = ", ".join(f"{count} {what}" for what, count in broken.items() if count)
        if not figure:
            figure = f"0 errors, slowest answer {max(found['answer']):.2f} s"
            if back := found["exact again"]:
                figure += f", exact again after {max(back):.1f} s"
        total = sum(broken.values())
        return Verdict(total == 0, figure, total, 0)


class MemoryIsFlat(Experiment):
    slug = "memory-is-flat"
    claim = (
        "A client takes at most 64 bytes in Redis however much it sends against a limit of 5,000, "
        "and 10,000 clients are gone after their TTL."
    )
    holds = ("token_bucket",)
    refuted = ("drf_throttle",)
    units = {
        "bytes": "bytes in Redis of one client",
        "clients": "keys in Redis",
        "clients left": "keys in Redis",
    }
    chart = Chart("bytes", "bytes in Redis of one client", bound=64, logarithmic=True)
    parameters = (
        Parameter("requests", 2000, 500, 5000, "requests"),
        Parameter("clients", 10_000, 1000, 20_000, "clients"),
    )

    MOST_BYTES = 64
    EVERY = 200  # requests of the one client from measurement to measurement
    GONE_SECONDS = 4.0  # the TTL of one request against 5,000 per hour is 0.72 s

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        with Redis.from_url(stack.services["redis"]) as store:
            yield from self._fill_and_wait(stack, store, variant, params)

    def _fill_and_wait(
        self, stack: Stack, store: "Redis", variant: str, params: Params
    ) -> Iterator[Sample]:
        target, headers = url(stack, variant, "bulk"), sent_by(some_address())
        start, taken = time.monotonic(), list[Sample]()
        # One connection: simultaneous requests would lose what a read-modify-write overwrites.
        one_client = volley(
            [Request(target, headers)] * int(params["requests"]), processes=1, connections=1
        )
        for number, answer in enumerate(one_client, 1):
            if admitted(answer) and number % self.EVERY == 0:
                used = sum(store.memory_usage(key) or 0 for key in _buckets(store))
                taken.append(Sample(answer.received - start, "bytes", used))
                yield taken[-1]
        if not self.judge(taken, params).holds:
            return  # whatever the crowd leaves behind
        forget(stack)
        crowd = [
            Request(target, sent_by(str(IPv4Address("198.18.0.0") + number)))
            for number in range(int(params["clients"]))
        ]
        for number, answer in enumerate(volley(crowd, processes=4, connections=10), 1):
            if admitted(answer) and number % 500 == 0:
                yield Sample(answer.received - start, "clients", len(_buckets(store)))
        end = time.monotonic() + self.GONE_SECONDS
        left = len(_buckets(store))
        while left and time.monotonic() < end:
            rest(0.1)
            left = len(_buckets(store))
        yield Sample(time.monotonic() - start, "clients left", left)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        # Of the last three: an allocator now and then hands out a piece larger than was asked for.
        # Of the last three: an allocator now and then hands out a piece larger than was asked for.
        taken = values(samples, "bytes")
        used, left = median(taken[-3:]), last(samples, "clients left")
        figure = f"{used:.0f} bytes after {self.EVERY * len(taken)} requests"
        if any(each.series == "clients left" for each in samples):
            figure += f", {left:.0f} clients left"
        holds = used <= self.MOST_BYTES and left == 0
        return Verdict(holds, figure, used, self.MOST_BYTES)


def _buckets(store: "Redis") -> list[bytes]:
    """Return the keys that count a client: the token bucket's hash-tagged ones, DRF's throttle lists."""
    return [
        key for key in store.scan_iter(count=5000) if key.startswith(b"{") or b"throttle" in key
    ]


class AbuseIsSeen(Experiment):
    """190 addresses at 0.5 requests a second, ten partners with API keys at 8, one abuser at 8."""

    slug = "abuse-is-seen"
    claim = (
        "One abuser among 200 normal clients is named within 100 of its requests, and no normal "
        "client is, although partners with API keys send as much as the abuser."
    )
    holds = ("token_bucket",)
    refuted = ("fixed_window",)
    units = {
        "abuser sent": "requests",
        "named": "requests the abuser had sent",
        "named wrongly": "normal clients",
        "never named": "requests the abuser had sent",
    }
    # What tells a detector from a threshold: both name the abuser, one names partners with it.
    chart = Chart("named wrongly", "normal clients named as abusers")
    parameters = (
        Parameter("calm", 5, 4, 20, "s"),
        Parameter("abuse", 10, 4, 20, "s"),
        Parameter("rate", 8, 4, 40, "requests/s"),
    )

    ADDRESSES, PARTNERS = 190, 10
    WITHIN = 100

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        addresses = [some_address() for _ in range(self.ADDRESSES)]
        abuser = some_address()
        partners = [f"partner-{number}" for number in range(self.PARTNERS)]
        # Whom the events speak of: what a detector says late of the experiment before is not counted.
        pseudonym = stack.manage("limits", "pseudonym", "address", abuser).strip()
        normal = {
            *stack.manage("limits", "pseudonym", "address", *addresses).split(),
            *stack.manage("limits", "pseudonym", "key", *partners).split(),
        }
        keys = stack.manage("limits", "key", *partners).split()
        schedule = self._schedule(addresses, keys, abuser, params)
        target = url(stack, variant, "bulk")
        requests = [Request(target, headers) for _, headers in schedule]
        start, sent, named, seen = time.monotonic(), 0, False, set[str]()
        looked = start
        rate = len(schedule) / (params["calm"] + params["abuse"])
        for answer in volley(requests, processes=2, connections=40, rate=rate):
            if schedule[answer.request][0] == "abuser" and admitted(answer):
                sent += 1
                yield Sample(answer.received - start, "abuser sent", sent)
            if answer.received < looked + 0.5:
                continue
            looked = answer.received
            seen |= self._named(stack, DETECTORS[variant])
            if pseudonym in seen and not named:
                named = True
                yield Sample(answer.received - start, "named", sent)
            yield Sample(answer.received - start, "named wrongly", len(seen & normal))
            if named and seen & normal:
                return  # who was named wrongly stays so
        yield Sample(time.monotonic() - start, "named wrongly", len(seen & normal))
        if not named:
            yield Sample(time.monotonic() - start, "never named", sent)

    def _schedule(
        self, addresses: list[str], keys: list[str], abuser: str, params: Params
    ) -> list[tuple[str, dict[str, str]]]:
        """Return who sends what, in the order of time, at a constant total rate in each phase."""
        seconds = params["calm"] + params["abuse"]
        events: list[tuple[float, str, dict[str, str]]] = []
        for key in keys:
            events += self._steady(
                8, 0, seconds, "partner", sent_by(some_address(), **{"X-API-Key": key})
            )
        for address in addresses:
            events += self._steady(0.5, 0, seconds, "address", sent_by(address))
        events += self._steady(params["rate"], params["calm"], seconds, "abuser", sent_by(abuser))
        return [(who, headers) for _, who, headers in sorted(events, key=lambda event: event[0])]

    @staticmethod
    def _steady(
        rate: float, begin: float, end: float, who: str, headers: dict[str, str]
    ) -> list[tuple[float, str, dict[str, str]]]:
        """Return one client's requests, evenly spaced from a random moment on."""
        count = int(rate * (end - begin))
        offset = random.random()
        return [(begin + (number + offset) / rate, who, headers) for number in range(count)]

    def _named(self, stack: Stack, detector: str) -> set[str]:
        answer = ask(f"{stack.url}/api/abuse/", {"Authorization": f"Bearer {stack.staff_token}"})
        if answer.status != 200:
            raise UnexpectedAnswer(f"/api/abuse/ answered {answer.status}: {answer.body[:200]!r}")
        events = json.loads(answer.body)["events"]
        return {str(event["client"]) for event in events if event["detector"] == detector}

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        wrong = last(samples, "named wrongly")
        latest = {each.series: each.value for each in samples}
        sent = latest.get("named", latest.get("abuser sent", 0))
        holds = sent <= self.WITHIN and "never named" not in latest and wrong == 0
        named = "named" if "named" in latest else "not named"
        figure = f"abuser {named} after {sent:.0f} requests, {wrong:.0f} normal clients named"
        return Verdict(holds, figure, wrong, 0)
