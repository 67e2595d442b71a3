"""The claims of this example, each driven against a running stack and judged from what it answered.

The load generator plays the outermost proxy: it appends the client's true address to X-Forwarded-For,
as a real edge does, behind whatever the client forged.
"""

import base64
import hashlib
import http.client
import itertools
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, cast
from urllib.parse import quote, urlsplit

import psycopg
from redis import Redis

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    ExperimentError,
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

PROCESSES = 4
PAUSE_SECONDS = 0.03
SERVED, FORBIDDEN = {200}, {400, 403}  # django-blocklist refuses with 400
REFUSED = FORBIDDEN | {429}
LISTENING = {"xread", "subscribe"}  # commands, as CLIENT LIST names them
# Commands of a process at rest: it waits for changes, and asks whether there is one that nobody has sent.
IDLE = {"xread", "xinfo|stream", "info", "ping", "hello", "client|setinfo", "client|list"}
# What a thread sends twenty times a second at most, however many requests there are.
BATCHES = {"xadd", "xdel"}
INNER_PROXIES = ("10.0.0.7", "172.16.3.4", "192.168.77.1")


# Who is banned never meets who is not: an address drawn twice would be a wrong answer.
_banned = itertools.count(random.randrange(2**15))


def some_address() -> str:
    """Return an address to ban, a new one each time; RFC 2544 reserves its block for benchmarks."""
    return str(IPv4Address("198.19.0.0") + next(_banned) % 2**16)


def stranger() -> str:
    """Return an address of the same block that is never banned."""
    return str(IPv4Address("198.18.0.0") + random.randrange(2**16))


def sent_by(address: str, forged: str = "", **headers: str) -> dict[str, str]:
    """Return the headers with which the edge passes on a request of `address`."""
    return {"X-Forwarded-For": f"{forged}, {address}" if forged else address, **headers}


def url(stack: Stack, variant: str, path: str = "airports/JFK/") -> str:
    return f"{stack.url}/api/{variant}/{path}"


def served(answer: Answer) -> bool:
    """Whether the request was served.

    Raises:
        UnexpectedAnswer: it was neither served nor refused.
    """
    if answer.status not in SERVED | REFUSED:
        said = answer.error or answer.body[:200].decode(errors="replace")
        raise UnexpectedAnswer(f"status {answer.status}: {said}")
    return answer.status in SERVED


def quantile(found: Sequence[float], share: float) -> float:
    return sorted(found)[min(len(found) - 1, int(share * len(found)))]


class Operator:
    """Bans and lifts over one connection."""

    def __init__(self, stack: Stack, variant: str) -> None:
        self._path = f"/api/{variant}/"
        self._headers = {"Authorization": f"Bearer {stack.staff_token}"}
        self._netloc = urlsplit(stack.url).netloc

    def ban(self, network: str) -> int:
        """Return the status: 201, 200 if it is banned, or 409 if the service refuses to ban it."""
        body = json.dumps({"network": network})
        return self._ask("POST", "bans/", body, (200, 201, 409))[0]

    def unban(self, network: str) -> int:
        return self._ask("DELETE", f"bans/?network={quote(network)}", None, (204,))[0]

    def feed(self, name: str, text: str) -> tuple[int, dict[str, Any]]:
        """Return the status, 422 if the list was refused, and the report."""
        status, body = self._ask("PUT", f"feeds/{name}/", text, (200, 422), "text/plain")
        return status, json.loads(body)

    def drop_feed(self, name: str) -> None:
        self._ask("DELETE", f"feeds/{name}/", None, (204,))

    def _ask(
        self,
        method: str,
        path: str,
        body: str | None,
        expected: tuple[int, ...],
        kind: str = "application/json",
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._netloc, timeout=60)
        headers = {**self._headers, "Content-Type": kind}
        try:
            connection.request(method, self._path + path, body, headers)
            response = connection.getresponse()
            said = response.read()
        finally:
            connection.close()
        if response.status not in expected:
            raise UnexpectedAnswer(f"{method} {path} got {response.status}: {said[:200]!r}")
        return response.status, said


def start_again(stack: Stack) -> None:
    """Kill all processes and wait until new ones answer, whatever else has stopped."""
    stack.kill("web")
    stack.start("web")
    end = time.monotonic() + 30
    while ask(f"{stack.url}/healthz", timeout_seconds=1).status != 200:
        if time.monotonic() > end:
            raise ExperimentError("no process answers after 30 s")
        rest(0.05)


def processes_that(
    accept: Callable[[Answer], bool], target: str, headers: dict[str, str], seconds: float
) -> Iterator[tuple[str, Answer]]:
    """Ask until each process has given an answer that is accepted, or the time is over.

    Yield the process with the first such answer of it.
    """
    end = time.monotonic() + seconds
    done: set[str] = set()
    while len(done) < PROCESSES and time.monotonic() < end:
        answer = ask(target, headers)
        served(answer)
        process = answer.headers["served-by"]
        if not accept(answer):
            rest(PAUSE_SECONDS)  # or the detector would take this client for a flood, and be right
        elif process not in done:
            done.add(process)
            yield process, answer


class HeadersDoNotLie(Experiment):
    slug = "headers-do-not-lie"
    claim = (
        "In 10,000 generated sets of headers, without a proxy, behind one or two, a banned client is "
        "refused in each, nobody is refused for a client who names them, and no proxy can be banned."
    )
    holds = ("shield",)
    refuted = ("leftmost", "ipware_ratelimit")
    units = {
        "wrong": "answers",
        "banned got in": "answers",
        "others refused": "answers",
        "proxies banned": "proxies",
        "answered": "answers",
    }
    chart = Chart("wrong", "wrong answers", bound=0)
    parameters = (Parameter("sets", 10_000, 500, 50_000, "sets of headers"),)

    ENOUGH_WRONG = 200
    DIRECT_AT_ONCE = 2_000  # command lines have an end
    OTHERS = 997  # nobody asks so often that it is an attack

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        banned, others = some_address(), [stranger() for _ in range(self.OTHERS)]
        operator.ban(banned)
        counts = dict.fromkeys(self.units, 0)
        target = url(stack, variant)
        start = time.monotonic()
        for _ in processes_that(lambda answer: not served(answer), target, sent_by(banned), 5):
            yield Sample(time.monotonic() - start, "wrong", 0)
        for proxy in INNER_PROXIES:
            if operator.ban(proxy) == 201:
                counts["proxies banned"] += 1
                operator.unban(proxy)
        counts["wrong"] = counts["proxies banned"]
        dice = random.Random(20261121)
        senders, requests = [], []
        total = int(params["sets"])
        proxied = total * 2 // 3
        for number in range(total):
            other = others[number % self.OTHERS]
            sender, named = (other, banned) if number % 5 == 0 else (banned, other)
            senders.append(sender)
            proxies = 1 + number % 2 if number < proxied else 0
            requests.append(Request(target, forged_headers(dice, sender, named, proxies)))
        answers = (
            (answer.received, answer.request, answer.status, served(answer))
            for answer in volley(requests[:proxied], processes=2, connections=8)
        )
        direct = self._direct(stack, variant, senders[proxied:], requests[proxied:], proxied)
        for received, number, status, in_ in itertools.chain(answers, direct):
            counts["answered"] += 1
            is_banned = senders[number] == banned
            if in_ if is_banned else status in FORBIDDEN:
                counts["banned got in" if is_banned else "others refused"] += 1
                counts["wrong"] += 1
            yield Sample(received - start, "wrong", counts["wrong"])
            if counts["wrong"] >= self.ENOUGH_WRONG:
                break
        for series, count in counts.items():
            yield Sample(time.monotonic() - start, series, count)

    def _direct(
        self, stack: Stack, variant: str, senders: list[str], requests: list[Request], first: int
    ) -> Iterator[tuple[float, int, int, bool]]:
        """Ask without a proxy: a connection of this machine is loopback, so a command does it inside."""
        path = urlsplit(url(stack, variant)).path
        for place in range(0, len(requests), self.DIRECT_AT_ONCE):
            asked = range(place, min(place + self.DIRECT_AT_ONCE, len(requests)))
            given = [json.dumps([senders[n], dict(requests[n].headers)]) for n in asked]
            statuses = json.loads(stack.manage("direct", path, *given).splitlines()[-1])
            for number, status in zip(asked, statuses, strict=True):
                if status not in SERVED | REFUSED:
                    raise UnexpectedAnswer(f"status {status} for {given[number - place]}")
                yield time.monotonic(), first + number, status, status in SERVED

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        wrong = last(samples, "wrong")
        figure = f"{wrong:.0f} wrong of {last(samples, 'answered'):.0f}"
        if wrong:
            parts = ("banned got in", "others refused", "proxies banned")
            figure += ": " + ", ".join(f"{last(samples, part):.0f} {part}" for part in parts)
        return Verdict(wrong == 0, figure, wrong, 0)


def forged_headers(dice: random.Random, sender: str, named: str, proxies: int) -> dict[str, str]:
    """Return what reaches the service if *sender* tries to be *named*, behind so many proxies."""
    forged = ", ".join(lie(dice, named) for _ in range(dice.randrange(4)))
    headers = {"X-Forwarded-For": forged} if forged else {}
    if proxies:
        headers = sent_by(sender, forged)
    if proxies == 2:
        headers["X-Forwarded-For"] += f", {dice.choice(INNER_PROXIES)}"
    for name in ("X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "X-Forwarded"):
        if dice.random() < 0.2:
            headers[name] = lie(dice, named)
    if dice.random() < 0.2:
        headers["Forwarded"] = f'for="{lie(dice, named)}";proto=https'
    return headers


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
            "," * dice.randrange(1, 40),
            "7" * dice.randrange(1, 300),
        )
    )


class EverywhereWithinASecond(Experiment):
    """Ban and lift under a client whom every process has just served; in every second round, cut."""

    slug = "everywhere-within-a-second"
    claim = (
        "A ban refuses in each of 4 server processes within 1 s after it was acknowledged, and its end "
        "serves again, also while the connections on which they listen to Redis are cut 20 times."
    )
    holds = ("shield",)
    refuted = ("local_cache", "pubsub")
    units = {"seen": "seconds after the acknowledgement", "late": "processes later than 1 s"}
    # Not the seconds: who never sees it has none, and the ways that lose most would look like the fastest.
    chart = Chart("late", "processes later than 1 s", bound=0)
    parameters = (Parameter("rounds", 20, 4, 100, "bans"),)

    DEADLINE_SECONDS = 1.0
    ENOUGH_LATE = 6

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        target = url(stack, variant)
        start = time.monotonic()
        late = 0
        for number in range(int(params["rounds"])):
            address = some_address()
            for _ in processes_that(served, target, sent_by(address), 10):
                pass
            for change, accept in ((operator.ban, refused), (operator.unban, served)):
                with cutting(stack.services["redis"], 20 * (number % 2)):
                    change(address)
                known = time.monotonic()
                seen = 0
                for _, answer in processes_that(
                    accept, target, sent_by(address), self.DEADLINE_SECONDS
                ):
                    seen += 1
                    yield Sample(time.monotonic() - start, "seen", answer.received - known)
                late += PROCESSES - seen
                yield Sample(time.monotonic() - start, "late", late)
                if late >= self.ENOUGH_LATE:
                    return

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        late, seen = last(samples, "late"), values(samples, "seen")
        total = len(seen) + late
        figure = f"{late:.0f} of {total:.0f} later than 1 s"
        if seen:
            figure += f", p99 {quantile(seen, 0.99) * 1000:.0f} ms"
        return Verdict(late == 0 and bool(seen), figure, late, 0)


def refused(answer: Answer) -> bool:
    return not served(answer)


@contextmanager
def cutting(redis: str, times: int) -> Iterator[None]:
    """Cut the connections on which processes listen, while the block runs, so often at least."""
    over = threading.Event()

    def cut() -> None:
        with Redis.from_url(redis) as store:
            done = 0
            while done < times or not over.is_set():
                for client in store.client_list():
                    if client["cmd"] in LISTENING:
                        done += store.client_kill_filter(_id=client["id"])
                time.sleep(0.001)

    thread = threading.Thread(target=cut, daemon=True)
    if times:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if times:
            thread.join(10)


class BansOutliveRedis(Experiment):
    slug = "bans-outlive-redis"
    claim = (
        "With Redis stopped banned clients are refused and others served, also by processes that start "
        "meanwhile; a ban made meanwhile refuses everywhere within 5 s."
    )
    holds = ("shield",)
    refuted = ("redis_cache", "ipware_ratelimit")
    units = {
        "wrong": "answers",
        "answered": "answers",
        "guard": "milliseconds in the guard",
        "new ban": "seconds until it refuses everywhere",
    }
    chart = Chart("wrong", "wrong answers", bound=0)
    parameters = (Parameter("requests", 1000, 100, 10_000, "requests"),)

    ENOUGH_WRONG = 4
    GUARD_MS = 5.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        target = url(stack, variant)
        banned, later = some_address(), some_address()
        operator.ban(banned)
        start = time.monotonic()
        for _ in processes_that(refused, target, sent_by(banned), 5):
            yield Sample(time.monotonic() - start, "wrong", 0)
        with stack.stopped("redis"):
            wrong = 0
            for sample in self._answers(target, banned, int(params["requests"]), start):
                wrong = max(wrong, sample.value if sample.series == "wrong" else 0)
                yield sample
            if wrong:
                return
            start_again(stack)
            yield from self._answers(target, banned, 100, start)
            operator.ban(later)
            began = time.monotonic()
            found = len(list(processes_that(refused, target, sent_by(later), 5)))
            took = time.monotonic() - began if found == PROCESSES else 60
            yield Sample(time.monotonic() - start, "new ban", took)

    def _answers(self, target: str, banned: str, count: int, start: float) -> Iterator[Sample]:
        """Ask as the banned client and as another one in turn; yield how many answers were wrong."""
        requests = [
            Request(target, sent_by(stranger() if number % 2 else banned))
            for number in range(count)
        ]
        wrong = 0
        for number, answer in enumerate(volley(requests, processes=1, connections=4), 1):
            right = answer.status in (REFUSED if answer.request % 2 == 0 else SERVED)
            wrong += not right
            now = max(0, answer.received - start)
            yield Sample(now, "wrong", wrong)
            yield Sample(now, "answered", number)
            if "server-timing" in answer.headers:
                took = answer.headers["server-timing"].partition("dur=")[2].partition(",")[0]
                yield Sample(now, "guard", float(took))
            if wrong >= self.ENOUGH_WRONG:
                return

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        wrong = max(values(samples, "wrong"))
        figure = f"{wrong:.0f} wrong answers"
        if wrong:
            return Verdict(False, f"{figure} of {last(samples, 'answered'):.0f}", wrong, 0)
        spent, new = values(samples, "guard"), values(samples, "new ban")
        if not spent:
            raise ValueError("nothing was answered yet")
        p99 = quantile(spent, 0.99)
        figure += f" of {len(spent)}, p99 of the guard {p99:.2f} ms"
        if new:
            figure += f", new ban after {new[-1]:.1f} s"
        holds = p99 < self.GUARD_MS and all(each <= 5 for each in new)
        return Verdict(holds, figure, wrong, 0)


class OneAttackerOneKey(Experiment):
    slug = "one-attacker-one-key"
    claim = (
        "A banned client is refused in every notation of its address, and from 1,000 addresses of its "
        "/64 of IPv6."
    )
    holds = ("shield",)
    refuted = ("leftmost",)
    units = {"escaped": "answers", "asked": "answers"}
    chart = Chart("escaped", "requests of banned clients that were served", bound=0)
    parameters = (Parameter("addresses", 1000, 50, 10_000, "addresses of a /64"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        target = url(stack, variant)
        old, network = some_address(), random.randrange(2**32)
        new = str(IPv6Address((0x20010DB8 << 96) + (network << 64) + 1))
        start = time.monotonic()
        for address in (old, new):
            operator.ban(address)
            for _ in processes_that(refused, target, sent_by(address), 5):
                yield Sample(time.monotonic() - start, "escaped", 0)
        first = int(IPv6Address(new))
        neighbours = [str(IPv6Address(first + n)) for n in range(int(params["addresses"]))]
        hops = [*notations(old), *notations(new), *neighbours]
        escaped = 0
        answers = volley([Request(target, sent_by(hop)) for hop in hops], connections=4)
        for asked, answer in enumerate(answers, 1):
            escaped += served(answer)
            yield Sample(answer.received - start, "escaped", escaped)
            yield Sample(answer.received - start, "asked", asked)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        escaped, asked = last(samples, "escaped"), last(samples, "asked")
        return Verdict(escaped == 0, f"{escaped:.0f} of {asked:.0f} served", escaped, 0)


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
        ]
    full = address.exploded
    return [text, text.upper(), full, full.upper(), f"[{text}]", f"[{full}]:443", f"{text}%eth0"]


class TheMatcherIsExact(Experiment):
    slug = "the-matcher-is-exact"
    claim = (
        "Through random additions, removals and expiries the matcher says what Python's `ipaddress` "
        "says, for 100,000 random addresses and those at the edges of every network."
    )
    holds = ("shield",)
    refuted = ("bisect",)
    units = {"wrong": "answers", "addresses": "addresses"}
    chart = Chart("wrong", "wrong answers", bound=0)
    parameters = (Parameter("seeds", 5, 1, 50, "runs of 10 rounds"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        sums = {"addresses": 0, "wrong": 0}
        for found in replayed(stack, "match", variant, int(params["seeds"])):
            for seed in sorted({each["seed"] for each in found}):
                rounds = [each for each in found if each["seed"] == seed]
                for each in rounds:
                    for series, before in sums.items():
                        yield Sample(time.monotonic() - start, series, before + each[series])
                sums = {series: before + rounds[-1][series] for series, before in sums.items()}
            if sums["wrong"]:
                return

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        wrong, addresses = last(samples, "wrong"), last(samples, "addresses")
        return Verdict(wrong == 0, f"{wrong:.0f} of {addresses:.0f} addresses wrong", wrong, 0)


def replayed(
    stack: Stack, command: str, variant: str, seeds: int
) -> Iterator[list[dict[str, Any]]]:
    """Yield what a command says of seeds: of the first alone, as that may be enough, then of the rest."""
    size = -(-(seeds - 1) // 4) or 1
    batches = [(first, min(size, seeds - first)) for first in range(1, seeds, size)]

    def said(batch: tuple[int, int]) -> list[dict[str, Any]]:
        first, count = map(str, batch)
        asked = (command, variant, "--first-seed", first, "--seeds", count)
        return [json.loads(line) for line in stack.manage(*asked).splitlines()]

    yield said((0, 1))
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(said, batches)


class AMillionRulesCostNothing(Experiment):
    """A feed of 10,000 networks, then a million more; then the processes are killed and start again."""

    slug = "a-million-rules-cost-nothing"
    claim = (
        "With 1,000,000 networks a request pays no query, no call of Redis, at most 25 microseconds of a "
        "processor and 5 times what it pays with 10,000; a process pays at most 160 MB and 3 s of start-up."
    )
    holds = ("shield",)
    refuted = ("leftmost", "blocklist_package")
    units = {
        "guard": "microseconds of a processor in the guard, median of 32 requests at a time",
        "alone": "the same, median of 250 requests of a process that answers one at a time",
        "queries": "queries a request",
        "redis": "commands a request",
        "memory": "MB that the largest process grew",
        "start": "seconds until the list was loaded",
    }
    chart = Chart("alone", "µs in the guard", mark="points", bound=25, logarithmic=True)
    parameters = (Parameter("networks", 1_000_000, 50_000, 3_000_000, "networks"),)

    CEILING_MICROSECONDS = 25
    REQUESTS = 2_000
    BATCHES = 8
    ENOUGH_REQUESTS = 200  # to count queries
    FEW = 10_000

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        if variant != "shield":  # what a request pays does not depend on a list
            yield from self._pays(stack, variant, start, self.ENOUGH_REQUESTS)
            yield from self._alone(stack, variant, start)
            return
        operator = Operator(stack, variant)
        try:
            operator.feed("few", "\n".join(many_networks(self.FEW)))
            yield from self._pays(stack, variant, start, self.REQUESTS)
            before = states(stack, lambda state: state["networks"] >= self.FEW)
            operator.feed("many", "\n".join(many_networks(int(params["networks"]), 7)))
            after = states(stack, lambda state: state["networks"] >= params["networks"])
            yield from self._pays(stack, variant, start, self.REQUESTS)
            yield from self._alone(stack, variant, start)
            grown = max(
                after[process]["resident_bytes"] - before[process]["resident_bytes"]
                for process in after
            )
            yield Sample(time.monotonic() - start, "memory", grown / 1e6)
            start_again(stack)
            again = states(stack, lambda state: state["networks"] >= params["networks"])
            took = max(state["boot_seconds"] for state in again.values())
            yield Sample(time.monotonic() - start, "start", took)
        finally:
            operator.drop_feed("few")
            operator.drop_feed("many")

    def _pays(self, stack: Stack, variant: str, start: float, count: int) -> Iterator[Sample]:
        """Ask as strangers, whom no network contains: every length is probed."""
        target = url(stack, variant)
        requests = [Request(target, sent_by(stranger())) for _ in range(count)]
        for answer in volley(requests[: count // 4], processes=1, connections=32):
            served(answer)  # connections are opened, code is warm
        with Redis.from_url(stack.services["redis"]) as store:
            before = commands(store, IDLE | BATCHES)
            spent, queries = [], 0
            # Several at once: a processor that idles between requests has to fetch the code again.
            for answer in volley(requests, processes=1, connections=32):
                served(answer)
                guard, sql = timing(answer)
                spent.append(guard)
                queries += sql
            calls = commands(store, IDLE | BATCHES) - before
        now = time.monotonic() - start
        yield Sample(now, "queries", queries / count)
        yield Sample(now, "redis", calls / count)
        yield Sample(now, "guard", quantile(spent, 0.5) * 1000)

    def _alone(self, stack: Stack, variant: str, start: float) -> Iterator[Sample]:
        """Ask in a process of its own: threads that share a processor drive each other from its caches."""
        path = urlsplit(url(stack, variant)).path
        for line in stack.manage("cost", path, "--batches", str(self.BATCHES)).splitlines():
            yield Sample(time.monotonic() - start, "alone", json.loads(line))

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        spent = values(samples, "guard")
        if not spent:
            raise ValueError("nothing was measured yet")
        calls = max(values(samples, "queries")) + max(values(samples, "redis"))
        if calls:
            return Verdict(False, f"{calls:.1f} queries and calls a request > 0", calls, 0)
        growth = max(1.0, spent[-1] / spent[0])
        memory, start = last(samples, "memory"), last(samples, "start")
        # The least, as `timeit` advises: what is more than that is what other programs cost.
        alone = min(values(samples, "alone"))
        figure = (
            f"{alone:.1f} us alone, {spent[-1]:.0f} us among 32, no query, no call, "
            f"{growth:.1f} times of {self.FEW}; {memory:.0f} MB a process, {start:.2f} s to start"
        )
        cheap = alone <= self.CEILING_MICROSECONDS and growth <= 5
        holds = cheap and memory <= 160 and start <= 3
        return Verdict(holds, figure, alone, self.CEILING_MICROSECONDS)


def many_networks(count: int, offset: int = 0) -> Iterator[str]:
    """Yield networks that no client of these experiments is in: 80 of 100 IPv4, of 12 lengths in all."""
    for number in range(count):
        kind, place = number % 20, number + offset
        if kind < 12:
            yield str(IPv4Address(0x0B000000 + place * 977))
        elif kind < 15:
            yield f"{IPv4Address(0x50000000 + place * 768 // 256 * 256)}/24"
        elif kind < 16:
            yield f"{IPv4Address(0xC8000000 + place * 256 // 4096 * 4096)}/{20 + number // 20 % 9}"
        elif kind < 19:
            yield f"{IPv6Address((0x2A00 << 112) + (place * 7919 << 64))}/64"
        else:
            yield f"{IPv6Address((0x2B00 << 112) + (place * 7919 << 64) + place)}/128"


def timing(answer: Answer) -> tuple[float, int]:
    """Return the processor's milliseconds in the guard and its queries, as Server-Timing has them."""
    found = re.search(r'cpu;dur=([0-9.]+), sql;desc="(\d+)"', answer.headers["server-timing"])
    if not found:
        raise UnexpectedAnswer(f"no timing: {answer.headers}")
    return float(found[1]), int(found[2])


def commands(store: "Redis", idle: set[str]) -> int:
    """Return how many commands Redis has carried out, but for those in *idle*."""
    found = cast(dict[str, dict[str, int]], store.info("commandstats"))
    return sum(
        each["calls"] for name, each in found.items() if name.removeprefix("cmdstat_") not in idle
    )


def states(stack: Stack, accept: Callable[[dict[str, float]], bool]) -> dict[str, dict[str, float]]:
    """Return what each process says of itself, once all of them are as wanted."""
    end = time.monotonic() + 30
    found: dict[str, dict[str, float]] = {}
    headers = {"Authorization": f"Bearer {stack.staff_token}"}
    while len(found) < PROCESSES:
        if time.monotonic() > end:
            raise ExperimentError(f"{len(found)} of {PROCESSES} processes have the list after 30 s")
        state = json.loads(ask(url(stack, "shield", "state/"), headers).body)
        if accept(state):
            found[state["process"]] = state
    return found


class AnAttackWritesNothing(Experiment):
    slug = "an-attack-writes-nothing"
    claim = "1,000 refused requests write nothing, neither to PostgreSQL nor to Redis."
    holds = ("shield",)
    refuted = ("blocklist_package",)
    units = {"writes": "transactions and commands that wrote", "refused": "answers"}
    chart = Chart("writes", "writes", bound=10)
    parameters = (Parameter("requests", 1000, 100, 10_000, "refused requests"),)

    # Of a thousand: PostgreSQL's own housekeeping may write meanwhile.
    SPARE = 0.01

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        target, banned = url(stack, variant), some_address()
        operator.ban(banned)
        start = time.monotonic()
        for _ in processes_that(refused, target, sent_by(banned), 5):
            yield Sample(time.monotonic() - start, "writes", 0)
        with (
            Redis.from_url(stack.services["redis"]) as store,
            psycopg.connect(stack.services["postgres"], autocommit=True) as database,
        ):
            before = settled(lambda: commands(store, IDLE) + transactions(database))
            requests = [Request(target, sent_by(banned))] * int(params["requests"])
            for number, answer in enumerate(volley(requests, processes=2, connections=4), 1):
                if served(answer):
                    raise UnexpectedAnswer("a banned client was served")
                if number % 100 == 0:
                    writes = commands(store, IDLE) + transactions(database) - before
                    yield Sample(answer.received - start, "writes", writes)
                    yield Sample(answer.received - start, "refused", number)
                    if writes > params["requests"] / 5:  # far beyond what a server does by itself
                        return
            writes = commands(store, IDLE) + transactions(database) - before
            yield Sample(time.monotonic() - start, "writes", writes)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        writes, bound = last(samples, "writes"), self.SPARE * params["requests"]
        figure = f"{writes:.0f} writes for {last(samples, 'refused'):.0f} refused requests"
        return Verdict(writes <= bound, figure, writes, bound)


def settled(count: Callable[[], int]) -> int:
    """Return a count once it has stood still: what was served before is still being scored."""
    end = time.monotonic() + 10
    before = count()
    while time.monotonic() < end:
        rest(0.5)
        if (now := count()) == before:
            return now
        before = now
    raise ExperimentError("something writes all the time")


def transactions(database: "psycopg.Connection") -> int:
    """Return how many transactions have written: only those get a number."""
    query = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    row = database.execute(query).fetchone()
    return int(row[0]) if row else 0


class AttackersYesPeopleNo(Experiment):
    slug = "attackers-yes-people-no"
    claim = (
        "In 20 replays of ten minutes a brute force ends within 12 requests, a scan within 25, a trap "
        "with the first, a flood within 61, a slow brute force within 12, a botnet within 40; of 500 "
        "people, 20 of them exits of providers, none is refused."
    )
    holds = ("shield",)
    refuted = ("ipware_ratelimit",)
    units = {
        "people": "people refused",
        "missed": "attackers not stopped in time",
        "through": "requests of an attacker, in times of those it may have",
        "replays": "replays",
    }
    chart = Chart(
        "through", "times of what each attacker may", mark="points", bound=1, logarithmic=True
    )
    parameters = (Parameter("seeds", 20, 1, 100, "replays"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        people = missed = replays = 0
        for batch in replayed(stack, "replay", variant, int(params["seeds"])):
            for found in batch:
                now = time.monotonic() - start
                replays += 1
                people += len(found["people"])
                for each in found["attackers"].values():
                    missed += not each["stopped"] or each["through"] > each["bound"]
                    yield Sample(now, "through", each["through"] / each["bound"])
                yield Sample(now, "people", people)
                yield Sample(now, "missed", missed)
                yield Sample(now, "replays", replays)
            if people or missed:
                return

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        people, missed = last(samples, "people"), last(samples, "missed")
        replays = last(samples, "replays")
        if not replays:
            raise ValueError("no replay is over")
        figure = (
            f"{people:.0f} of {500 * replays:.0f} people refused, "
            f"{missed:.0f} of {6 * replays:.0f} attackers missed"
        )
        return Verdict(people + missed == 0, figure, people + missed, 0)


class FeedsCannotHurt(Experiment):
    """A good list first; then each bad one, and whether it lets somebody in, or locks somebody out."""

    slug = "feeds-cannot-hurt"
    claim = (
        "A feed that is empty, an error page, ten times as long, or contains 0.0.0.0/0 or private "
        "networks lets nobody in and locks nobody out, and is reported."
    )
    holds = ("shield",)
    refuted = ("bisect",)
    units = {"wrong": "answers", "silent": "bad lists without a report", "lists": "bad lists"}
    chart = Chart("wrong", "wrong answers", bound=0)

    # A list that took effect would do so within these, and stay; the last is watched for longer.
    WATCH_SECONDS, LAST_SECONDS = 0.5, 1.3
    ENOUGH_WRONG = 20
    LISTED = "203.0.113.77"

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        del params
        operator, target = Operator(stack, variant), url(stack, variant)
        good = [f"198.51.100.{n}" for n in range(200)] + [self.LISTED]
        start = time.monotonic()
        wrong = silent = 0
        try:
            operator.feed("test", "\n".join(good))
            seen = dict(processes_that(refused, target, sent_by(self.LISTED), 5))
            if len(seen) < PROCESSES:
                raise UnexpectedAnswer("the good list refuses nobody")
            bad_ones = bad_lists(good)
            for number, bad in enumerate(bad_ones, 1):
                status, report = operator.feed("test", bad)
                said = report.get("rejected") or report.get("filtered") or status == 422
                silent += not said
                is_last = number == len(bad_ones)
                end = time.monotonic() + (self.LAST_SECONDS if is_last else self.WATCH_SECONDS)
                while time.monotonic() < end:
                    wrong += served(ask(target, sent_by(self.LISTED)))
                    wrong += not served(ask(target, sent_by(stranger())))
                    rest(0.02)
                now = time.monotonic() - start
                yield Sample(now, "wrong", wrong)
                yield Sample(now, "silent", silent)
                yield Sample(now, "lists", number)
                if wrong >= self.ENOUGH_WRONG:
                    return
        finally:
            operator.drop_feed("test")

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        wrong, silent = last(samples, "wrong"), last(samples, "silent")
        figure = f"{wrong:.0f} wrong answers, {silent:.0f} of {last(samples, 'lists'):.0f} bad lists silent"
        return Verdict(wrong + silent == 0, figure, wrong + silent, 0)


def bad_lists(good: list[str]) -> list[str]:
    """Return what arrives instead of a list some day."""
    return [
        "",
        "<html><head><title>502 Bad Gateway</title></head>\n<body>\n<h1>502</h1>\n</body></html>",
        "\n".join([*good, "0.0.0.0/0", "::/0"]),
        "\n".join([*good, "10.0.0.0/8", "127.0.0.0/8", "fe80::/10", "198.0.0.0/7"]),
        "\n".join([*good, *many_networks(10 * len(good))]),
        "\n".join([*good[:-1], "203.0.113.7", "203.0.113.77/", "not an address"])[:1000],
    ]


class LogsForget(Experiment):
    """Clients fail to log in, look for what is missing, are banned and let go; then it is a year later."""

    slug = "logs-forget"
    claim = (
        "After retention no table, key, file or log of a process holds a client's address in any notation, "
        "nor a hash that leads back to it by trying all addresses; no query string was ever kept."
    )
    holds = ("shield",)
    refuted = ("leftmost",)
    units = {"found": "addresses found", "secrets": "query strings found", "clients": "clients"}
    chart = Chart("found", "addresses found after retention", bound=0)
    parameters = (Parameter("clients", 40, 5, 500, "clients"),)

    KEPT = {"shield": "bans_sighting", "leftmost": "flights_visit"}

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        clients = [some_address() for _ in range(int(params["clients"]))]
        secret = f"secret-{random.randrange(2**64):x}"
        start = time.monotonic()
        with psycopg.connect(stack.services["postgres"], autocommit=True) as database:
            before = rows(database, self.KEPT[variant])
            requests = [
                Request(url(stack, variant, f"{path}?password={secret}"), sent_by(client), method)
                for client in clients
                for path, method in (("login/", "POST"), ("no-such-page/", "GET"))
            ]
            for answer in volley(requests, processes=1, connections=4):
                if answer.status not in (401, 404):
                    raise UnexpectedAnswer(f"status {answer.status}")
            for client in clients[::4]:
                operator.ban(client)
                operator.ban(client)  # what a database refuses it may write to its log
                operator.unban(client)
            end = time.monotonic() + 10
            while rows(database, self.KEPT[variant]) < before + len(requests):
                if time.monotonic() > end:
                    raise ExperimentError("what was seen is not in the log after 10 s")
                rest(0.05)
            later = datetime.now(UTC) + timedelta(days=365)
            files = stack.manage("forget", "--as-of", later.date().isoformat())
            with Redis.from_url(stack.services["redis"]) as store:
                kept = [files, stack.logs(), *everything_in(database), *everything_at(store)]
        text = "\n".join(kept)
        found = written(text, clients) | recovered(text) & set(clients)
        now = time.monotonic() - start
        yield Sample(now, "clients", len(clients))
        yield Sample(now, "found", len(found))
        yield Sample(now, "secrets", text.count(secret))

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        found, secrets = last(samples, "found"), last(samples, "secrets")
        clients = last(samples, "clients")
        figure = f"{found:.0f} of {clients:.0f} clients and {secrets:.0f} query strings found"
        return Verdict(found + secrets == 0, figure, found + secrets, 0)


def rows(database: "psycopg.Connection", table: str) -> int:
    row = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]  # noqa: S608
    return int(row[0]) if row else 0


def everything_in(database: "psycopg.Connection") -> Iterator[str]:
    """Yield every row of every table as text."""
    tables = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for (table,) in tables.fetchall():
        for (row,) in database.execute(f'SELECT each::text FROM "{table}" AS each'):  # noqa: S608
            yield row


def everything_at(store: "Redis") -> Iterator[str]:
    """Yield every key with its value."""
    for key in store.scan_iter(count=1_000):
        yield key.decode(errors="replace")
        kind = store.type(key)
        if kind == b"stream":
            yield repr(store.xrange(key))
        elif kind == b"string":
            yield repr(store.get(key))


def written(text: str, addresses: Iterable[str]) -> set[str]:
    """Return the addresses that are in the text: dotted, as a number, in hexadecimal or base64."""
    dotted = set(re.findall(r"\d+\.\d+\.\d+\.\d+(?:/\d+)?", text))
    numbers = set(re.findall(r"(?<!\d)\d{10}(?!\d)", text))
    hexadecimal = set(re.findall(r"(?<![0-9a-f])[0-9a-f]{8}(?![0-9a-f])", text.lower()))
    return {
        address
        for address in addresses
        for packed in (IPv4Address(address).packed,)
        if {address, f"{address}/32"} & dotted
        or str(int.from_bytes(packed)) in numbers
        or packed.hex() in hexadecimal
        or base64.b64encode(packed).decode().rstrip("=") in text
        or base64.b64encode(address.encode()).decode().rstrip("=") in text
    }


def recovered(text: str) -> set[str]:
    """Return the addresses of the benchmark's block whose hashes are in the text."""
    digests = set(re.findall(r"[0-9a-f]{16,64}", text))
    return {
        address
        for address in map(str, map(IPv4Address, range(0xC6120000, 0xC6140000)))
        if any(
            digest[:length] in digests
            for digest in (
                hashlib.sha256(address.encode()).hexdigest(),
                hashlib.md5(address.encode(), usedforsecurity=False).hexdigest(),
                hashlib.blake2b(address.encode()).hexdigest(),
            )
            for length in (16, 20, 32, 64)
        )
    }
