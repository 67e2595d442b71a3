"""What is seen of one answered request, and what is said of who sent it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

REFUSED_SECONDS = 600  # by a verdict

type Kind = Literal["ok", "login failed", "missing", "trap"]
type Scope = Literal[
    "named", "logins", "all"
]  # told to operators; logins are refused; everything is


class Sighting(NamedTuple):
    """One answered request.

    Attributes:
        seconds: when, on one clock for all processes.
        client: from where, see `clients.client_of`.
        path: without its query; of what is missing only differences count.
        account: a keyed hash of the name that signed in, or was tried; empty for nobody.
        peers: whom the sender is compared with: addresses, people, partners.
        status: of the answer.
    """

    seconds: float
    client: str
    kind: Kind
    path: str = ""
    account: str = ""
    peers: str = "address"
    status: int = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who is found, what they are refused, and why: what each part contributed."""

    network: str
    scope: Scope
    reason: str
    parts: Mapping[str, float] = field(default_factory=dict)


class Rule(Protocol):
    """Learns from sightings in the order of their time; for one thread."""

    def observe(self, seen: Sighting) -> list[Verdict]: ...
