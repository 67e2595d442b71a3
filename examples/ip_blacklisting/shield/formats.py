"""The formats in which lists are published: each line names one network or range, somewhere.

FireHOL (CIDR, `#`), Spamhaus DROP (`CIDR ; reference`, JSON lines), P2P (`name:first-last`), eMule's ipfilter
(`first - last , level , name`), CSV and tables (an address, then anything), netmasks.
https://github.com/firehol/blocklist-ipsets, https://www.spamhaus.org/blocklists/do-not-route-or-peer/
"""

import codecs
import json
import re
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper

from .addresses import LONGEST_HOP, Network, Span, parse_loosely, parse_network

EXPECTED = (
    "expected are lines with an address, a CIDR, a netmask or a range, alone or as the first column;"
    ' `name:first-last`; or JSON with "cidr"'
)
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
COMMENTS = ("#", ";", "//")
RANGE = re.compile(r"(?:.*:)?\s*([0-9.]+)\s*-\s*([0-9.]+)\s*(?:[,;#].*)?\Z")
RANGE6 = re.compile(r"([0-9a-fA-F:.]+)\s*-\s*([0-9a-fA-F:.]+)\Z")
COLUMN = re.compile(r"[\s,;|#]+")
PADDED = re.compile(r"\d{3}(?:\.\d{3}){3}\Z")  # with zeros, and decimal: eMule's
PLAIN = "address or CIDR"
QUOTES = "\"'[]"  # also around an address of IPv6
LONGEST_LINE = 1_000  # characters

type Found = tuple[str, Span]  # the format, and what the line names


def lines_of(data: bytes) -> Iterator[str]:
    """Yield the lines that name something; what is in no known encoding is replaced, and so malformed."""
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    # Decoded piece by piece: a list of a million networks would be several times its size as text.
    for line in TextIOWrapper(BytesIO(data), encoding, errors="replace"):
        text = line.strip()
        if text.startswith("{"):
            if '"type":"metadata"' not in text.replace(" ", ""):  # tells of the list itself
                yield text
        elif text and not text.startswith(COMMENTS):
            yield text


def span_of(line: str) -> Found:
    """Read one line.

    Raises:
        ValueError: it names nothing; the message shows it.
    """
    try:
        return PLAIN, parse_network(line).span
    except ValueError:
        found = _other(line)
    if found is None:
        raise ValueError(f"{line[:LONGEST_HOP]!r} names no network")
    return found


def _other(line: str) -> Found | None:
    if len(line) > LONGEST_LINE:
        return None
    try:
        return _json(line) or _range(line) or _columns(line)
    except ValueError:
        return None


def _json(line: str) -> Found | None:
    if not line.startswith("{"):
        return None
    try:
        return "JSON", parse_network(str(json.loads(line)["cidr"])).span
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _range(line: str) -> Found | None:
    match = RANGE.match(line) or RANGE6.match(line)
    if not match:
        return None
    first, last = _address(match[1]), _address(match[2])
    if first is None or last is None or first.version != last.version or first.value > last.value:
        raise ValueError("the range has no beginning or no end")
    return "range", Span(first.version, first.value, last.value)


def _columns(line: str) -> Found | None:
    """Read the first column, and the second if it is a netmask or the end of a range."""
    first, *others = (each.strip(QUOTES) for each in COLUMN.split(line.strip(QUOTES)))
    address, slash, mask = first.partition("/")
    second = mask if slash else others[0] if others else ""
    begin, end = _address(address), _address(second) if "." in second or ":" in second else None
    if begin is None:
        return None
    if end is None:
        network = parse_loosely(first)
        return ("column" if network == network.cut() else "host bits set"), network.cut().span
    if begin.version == 4 and (length := _length(end)) is not None:
        return "netmask", Network(4, begin.value, length).cut().span
    return _range(f"{address}-{second}")


def _address(text: str) -> Network | None:
    if PADDED.match(text):
        text = ".".join(str(int(part)) for part in text.split("."))
    try:
        return parse_loosely(text.partition("/")[0])
    except ValueError:
        return None


def _length(mask: Network) -> int | None:
    """Return the length of a netmask of IPv4; None if it is none."""
    hosts = mask.value ^ 0xFFFFFFFF
    if mask.version == 4 and mask.value and hosts & hosts + 1 == 0:
        return 32 - hosts.bit_length()
    return None
