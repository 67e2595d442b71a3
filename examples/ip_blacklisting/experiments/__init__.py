"""The claims of this example, each driven against a running stack and judged from what it answered.

The load generator plays the outermost proxy: it appends the client's true address to X-Forwarded-For,
as a real edge does, behind whatever the client forged.
"""

import http.client
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any, cast
from urllib.parse import quote, urlsplit

from redis import Redis

from nexus.experiment import (
    Answer,
    ExperimentError,
    Stack,
    UnexpectedAnswer,
    ask,
    expect,
    rest,
    until,
)

CLAIMS = (
    "headers-do-not-lie",
    "everywhere-within-a-second",
    "bans-outlive-redis",
    "one-attacker-one-key",
    "the-matcher-is-exact",
    "a-million-rules-cost-nothing",
    "an-attack-writes-nothing",
    "feeds-cannot-hurt",
    "a-restore-is-another-list",
)
BEGINS_AS = "leftmost"  # exercises/mine.py, where a reader begins

PROCESSES = 4
PAUSE_SECONDS = 0.03
KNOWN_SECONDS = 15  # in which all processes know of a ban, where that is not what is judged
SERVED, FORBIDDEN = {200}, {400, 403}  # django-blocklist refuses with 400
REFUSED = FORBIDDEN | {429}
# Commands of a healthcheck, and of a process at rest, which waits for changes.
IDLE = {"xread", "info", "ping", "auth", "hello", "client|setinfo", "client|list"}

# Who is banned never meets who is not: an address drawn twice would be a wrong answer. Nor does who was
# banned by the run before, on the same stack: no run takes eight addresses a second.
_banned = itertools.count(int(8 * time.time()))


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
    return expect(answer, *SERVED, *REFUSED).status in SERVED


def refused(answer: Answer) -> bool:
    return not served(answer)


class Operator:
    """Bans and lifts over one connection."""

    def __init__(self, stack: Stack, variant: str) -> None:
        self._path = f"/api/{variant}/"
        self._headers = {
            "Authorization": f"Bearer {stack.staff_token}",
            "Content-Type": "text/plain",
        }
        self._netloc = urlsplit(stack.url).netloc

    def ban(self, network: str) -> int:
        """Return the status: 201, 409 if the service refuses to ban it, 400 if it is no network."""
        return self._ask("POST", f"bans/?network={quote(network)}", None, (201, 400, 409))[0]

    def unban(self, network: str) -> int:
        return self._ask("DELETE", f"bans/?network={quote(network)}", None, (204,))[0]

    def feed(self, name: str, text: str | bytes) -> tuple[int, dict[str, Any]]:
        """Return the status, 422 if the list was refused, and the report.

        Raises:
            UnexpectedAnswer: the variant takes no feeds, say.
        """
        status, body = self._ask("PUT", f"feeds/{name}/", text, (200, 404, 422))
        if status == 404:
            raise UnexpectedAnswer("the guard takes no feeds: `replace` is missing")
        return status, json.loads(body)

    def refused(self, addresses: list[str]) -> list[bool]:
        """Return of each address whether the list of the process that answers refuses it."""
        said = self._ask("POST", "matches/", "\n".join(addresses), (200,))[1]
        found: list[bool] = json.loads(said)["refused"]
        return found

    def drop_feed(self, name: str) -> None:
        self._ask("PUT", f"feeds/{name}/?force=1", "", (200, 404))

    def _ask(
        self, method: str, path: str, body: str | bytes | None, expected: tuple[int, ...]
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._netloc, timeout=120)
        try:
            connection.request(method, self._path + path, body, self._headers)
            response = connection.getresponse()
            said = response.read()
        finally:
            connection.close()
        if response.status not in expected:
            raise UnexpectedAnswer(f"{method} {path} got {response.status}: {said[:200]!r}")
        return response.status, said


def start_again(stack: Stack, end: Callable[[str], None] | None = None) -> None:
    """Kill all processes, or end them as told, and wait until new ones answer, whatever else has stopped."""
    (end or stack.kill)("web")
    stack.start("web")
    if not until(lambda: ask(f"{stack.url}/healthz", timeout_seconds=1).status == 200, 30):
        raise ExperimentError("no process answers after 30 s")


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
            rest(PAUSE_SECONDS)
        elif process not in done:
            done.add(process)
            yield process, answer


def still_late(
    accept: Callable[[Answer], bool], target: str, headers: dict[str, str], in_time: set[str]
) -> int:
    """Return how many of the other processes do not answer as they have to, now that their time is over.

    Who was not asked meanwhile, because the kernel gave every connection to another, is not late for it.
    """
    late: dict[str, bool] = {}

    def all_told() -> bool:
        answer = ask(target, headers)
        accepted, process = accept(answer), answer.headers["served-by"]
        if process not in in_time:
            late.setdefault(process, not accepted)
        return len(in_time) + len(late) == PROCESSES

    if len(in_time) < PROCESSES and not until(all_told, 30, 0):
        raise ExperimentError(f"{len(in_time) + len(late)} of {PROCESSES} processes answer")
    return sum(late.values())


def late_after(
    seconds: float, accept: Callable[[Answer], bool], target: str, headers: dict[str, str]
) -> int:
    """Return how many of the processes do not answer as they have to within so many seconds."""
    in_time = dict(processes_that(accept, target, headers, seconds))
    return still_late(accept, target, headers, set(in_time))


def asked_inside(
    stack: Stack, path: str, requests: list[str], header: str = "HTTP_X_FORWARDED_FOR"
) -> list[tuple[int, str]]:
    """Put requests to a process of its own; return of each the status, and what its guard cost.

    Raises:
        UnexpectedAnswer: its guard hangs.
    """
    said = stack.manage("ask", path, "--header", header, *requests).splitlines()
    if len(said) < len(requests):
        raise UnexpectedAnswer(f"{len(said)} of {len(requests)} requests were answered in time")
    return [(status, cost) for status, cost in map(json.loads, said)]


def commands(store: "Redis", idle: set[str]) -> int:
    """Return how many commands Redis has carried out, but for those in *idle*."""
    found = cast(dict[str, dict[str, int]], store.info("commandstats"))
    return sum(
        each["calls"] for name, each in found.items() if name.removeprefix("cmdstat_") not in idle
    )


def many_networks(count: int, offset: int = 0) -> Iterator[str]:
    """Yield networks that no client of these experiments is in: 80 of 100 IPv4, of 12 lengths in all."""
    for number in range(count):
        kind, place = number % 20, number + offset
        if kind < 12:
            yield _dotted(0x0B000000 + place * 977)
        elif kind < 15:
            yield f"{_dotted(0x40000000 + place * 512)}/24"
        elif kind < 16:
            yield f"{_dotted(0xC8000000 + place * 256 // 4096 * 4096)}/{20 + number // 20 % 9}"
        else:
            value = (0x2A00 << 112 if kind < 19 else 0x2B00 << 112) + (place * 7919 << 64)
            yield inet_ntop(AF_INET6, value.to_bytes(16)) + ("/64" if kind < 19 else "/128")


def _dotted(value: int) -> str:
    return inet_ntop(AF_INET, (value % 2**32).to_bytes(4))


def states(stack: Stack, accept: Callable[[dict[str, float]], bool]) -> dict[str, dict[str, float]]:
    """Return what each process says of itself, once all of them are as wanted."""
    found: dict[str, dict[str, float]] = {}
    headers = {"Authorization": f"Bearer {stack.staff_token}"}

    def all_have_it() -> bool:
        state = json.loads(ask(url(stack, "shield", "state/"), headers).body)
        if accept(state):
            found[state["process"]] = state
        return len(found) == PROCESSES

    if not until(all_have_it, 30, 0):
        raise ExperimentError(f"{len(found)} of {PROCESSES} processes have the list after 30 s")
    return found
