"""Lists from elsewhere: read line by line, checked, and refused as a whole if they cannot be right.

Formats: one CIDR a line with `#` comments (FireHOL), `CIDR ; reference` and JSON lines (Spamhaus DROP).
https://github.com/firehol/blocklist-ipsets, https://www.spamhaus.org/blocklists/do-not-route-or-peer/
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from shield.addresses import Address, Network, parse_network
from shield.run import Run, pack

WIDEST = {4: 8, 6: 19}  # bits: the widest blocks that registries hand out
MOST_MALFORMED = 0.1  # of all lines: then this is no list, but an error page
MOST_GROWTH = 2.0  # of the last version, and as much to shrink
SHOWN = 20  # rejected lines in a report

# Addresses that no public client has: RFC 6890, and multicast.
SPECIAL: Final = tuple(
    parse_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "224.0.0.0/3"),
        *("::/8", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
)


class Unfit(ValueError):
    """The list as a whole cannot be right; the last version stays. The message says why."""


@dataclass
class Import:
    """What was read, and what was left out of it.

    Attributes:
        run: what is left, see `run`.
        rejected: the first lines that were left out, each with the reason.
    """

    run: bytes = b""
    networks: int = 0
    lines: int = 0
    malformed: int = 0
    filtered: int = 0
    rejected: list[str] = field(default_factory=list)

    def reject(self, reason: str) -> None:
        if len(self.rejected) < SHOWN:
            self.rejected.append(reason)


def read(text: Iterable[str], protected: Iterable[Network] = ()) -> Import:
    """Read a feed; leave out what is malformed, too wide, or contains special or *protected* addresses."""
    result = Import()
    result.run = pack(_fit(text, (*SPECIAL, *protected), result))
    result.networks = Run(memoryview(result.run)).networks
    return result


def _fit(text: Iterable[str], never: tuple[Network, ...], result: Import) -> Iterator[Network]:
    """Yield what may be banned, and count and name what may not."""
    inside = Run.of(never)
    for given in _cidrs(text):
        result.lines += 1
        try:
            network = parse_network(given)
        except ValueError as error:
            result.malformed += 1
            result.reject(str(error))
            continue
        if network.length < WIDEST[network.version]:
            result.filtered += 1
            result.reject(f"{network} is wider than /{WIDEST[network.version]}")
        elif _touches(network, inside, never):
            result.filtered += 1
            result.reject(f"{network} contains addresses that no stranger has")
        else:
            yield network


def check(result: Import, last: int) -> None:
    """Raise Unfit if a feed of *last* networks cannot have become this one."""
    count = result.networks
    if not count:
        raise Unfit("the list is empty")
    if result.malformed > MOST_MALFORMED * result.lines:
        raise Unfit(f"{result.malformed} of {result.lines} lines are malformed")
    if last and not last / MOST_GROWTH <= count <= last * MOST_GROWTH:
        raise Unfit(
            f"{count} networks instead of {last}: more than {MOST_GROWTH:.0f} times the change"
        )


def _cidrs(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        text = line.strip()
        if text.startswith("{"):
            try:
                record = json.loads(text)
            except ValueError:
                yield text
                continue
            if "cidr" in record or "type" not in record:  # the last record tells of the list itself
                yield str(record.get("cidr", text))
        elif text := text.partition("#")[0].partition(";")[0].strip():
            yield text


def _touches(network: Network, inside: Run, never: tuple[Network, ...]) -> bool:
    if Address(network.version, network.value) in inside:
        return True
    # Only a wide network can contain one of these; asking for each of a million would take seconds.
    return network.length < 64 and any(
        other.length > network.length and network.overlaps(other) for other in never
    )
