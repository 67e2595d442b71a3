"""The claims of this example, and what their clients send and accept.

The load generator plays the outermost proxy: it appends the client's true address to X-Forwarded-For,
as a real edge does, behind whatever the client forged.
"""

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address

from redis import Redis

from nexus.experiment import Answer, Request, Stack, expect, volley

CLAIMS = (
    "burst-is-bounded",
    "no-cliff",
    "retry-after-is-true",
    "all-or-nothing",
    "no-free-identity",
    "survives-redis",
    "flood-is-cheap",
    "memory-is-flat",
)

BEGINS_AS = "fixed_window"  # exercises/mine.py, where a reader begins

REFILL_PER_SECOND = 100 / 60  # of the rule sets `airports`, `open` and `closed`


# A client that warmed the servers has less than a full bucket left: drawn twice, it would be miscounted.
_addresses = itertools.count(random.randrange(2**17))


def some_address() -> str:
    """Return an address of the block reserved for benchmarks (RFC 2544), a new one each time."""
    return str(IPv4Address("198.18.0.0") + next(_addresses) % 2**17)


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
    return expect(answer, 200, 429).status == 200


def decided_apart(answer: Answer) -> bool:
    """Whether the answer says that Redis had no part in it: it was away, or late."""
    return "ratelimit-mode" in answer.headers


def admitted_by_redis(answer: Answer) -> bool:
    return admitted(answer) and not decided_apart(answer)


def warm(doors: Sequence[str], requests: int = 100) -> int:
    """Ask as other clients, at once, so that every thread of the servers is free and connected.

    It waits for the requests that a run before this one gave up: a thread may still be about them.
    Returns how many answers were decided without Redis, as some are while a thread connects to it.
    """
    others = [Request(doors[n % len(doors)], sent_by(some_address())) for n in range(requests)]
    apart = 0
    for answer in volley(others, processes=1, connections=50):
        admitted(answer)
        apart += decided_apart(answer)
    return apart


def timed(answers: Iterable[Answer]) -> Iterator[tuple[float, Answer]]:
    """Yield each answer after the seconds from the first request sent to the latest answer so far.

    Answers of several processes do not come in the order of their requests: which was the first is
    known when the last is there.
    """
    first, latest = math.inf, 0.0
    for answer in answers:
        first, latest = min(first, answer.sent), max(latest, answer.received)
        yield latest - first, answer
