"""The claims of this example, each driven against a running stack and judged from what it answered.

The load generator plays the outermost proxy: it appends the client's true address to X-Forwarded-For,
as a real edge does, behind whatever the client forged.
"""

import base64
import itertools
import json
import random
from ipaddress import IPv4Address
from typing import Any

from nexus.experiment import ExperimentError, Request, Stack, ask, expect, until

CLAIMS = (
    "attackers-yes-people-no",
    "abuse-is-seen",
    "harmless-requests-buy-nothing",
    "people-are-left-alone",
    "one-bad-line-loses-no-other",
    "memory-is-bounded",
    "a-country-asks-nobody",
    "logs-forget",
)

BEGINS_AS = "thresholds"  # exercises/mine.py, where a reader begins

# What was not simply served: the lines of both logs, whichever of them a variant writes.
LINES = (
    "(SELECT path, country FROM kept_logline UNION ALL SELECT path, country FROM kept_visit) AS l"
)

# Nobody meets the network of somebody else: of 65,536 /24s each experiment takes new ones.
_networks = itertools.count(random.randrange(2**16))


def some_network() -> str:
    """Return the first three numbers of a /24 of its own; 10.0.0.0/8 is the proxies', 11.0.0.0/8 is not."""
    return str(IPv4Address((11 << 24) + next(_networks) % 2**16 * 256)).rpartition(".")[0]


def some_address() -> str:
    return f"{some_network()}.{random.randrange(1, 255)}"


def sent_by(address: str, **headers: str) -> dict[str, str]:
    """Return the headers with which the edge passes on a request of `address`."""
    return {
        "X-Forwarded-For": address,
        **{name.replace("_", "-"): headers[name] for name in headers},
    }


def signs_in(name: str, password: str = "") -> str:
    """Return the Authorization header of a person; without a password, with the right one."""
    given = f"{name}:{password or f'{name}-secret'}"
    return f"Basic {base64.b64encode(given.encode()).decode()}"


def url(stack: Stack, variant: str, path: str = "airports/JFK/") -> str:
    return f"{stack.url}/api/{variant}/{path}"


def tries(stack: Stack, variant: str, address: str, account: str, **headers: str) -> Request:
    """Return a login with a wrong password."""
    said = sent_by(address, Authorization=signs_in(account, "wrong"), **headers)
    return Request(url(stack, variant, "login/"), said, "POST")


def findings(stack: Stack, variant: str, after: int = 0) -> list[dict[str, Any]]:
    """Return who was found lately, but for those up to a number, the newest first."""
    headers = {"Authorization": f"Bearer {stack.staff_token}"}
    answer = expect(ask(url(stack, variant, "findings/"), headers), 200)
    found: list[dict[str, Any]] = json.loads(answer.body)["findings"]
    return [each for each in found if each["id"] > after]


def latest(stack: Stack, variant: str) -> int:
    """Return the number of the last finding so far."""
    return max((each["id"] for each in findings(stack, variant)), default=0)


def judged(stack: Stack, variant: str) -> None:
    """Return once all that was sent before is judged: then a trap that was sent after it is refused.

    Raises:
        ExperimentError: it is not after a minute.
    """
    address = some_address()
    expect(ask(url(stack, variant, "wp-login.php"), sent_by(address)), 404)
    target = url(stack, variant)
    if not until(lambda: ask(target, sent_by(address)).status == 403, 60):
        raise ExperimentError("who asks for a trap is not refused within 60 s")
