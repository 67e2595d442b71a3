"""The formats in which lists are published: each line names one network or range, somewhere.

FireHOL (CIDR, `#`), Spamhaus DROP (`CIDR ; reference`, JSON lines), P2P (`name:first-last`), eMule's ipfilter
(`first - last , level , name`), CSV and tables (an address, then anything), netmasks.
https://github.com/firehol/blocklist-ipsets, https://www.spamhaus.org/blocklists/do-not-route-or-peer/
"""

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO, TextIOWrapper

from .addresses import LONGEST_HOP, Host, Span, host_of, parse_address, parse_network

EXPECTED = (
    "expected are lines with an address, a CIDR, a netmask or a range, alone or as the first column;"
    ' `name:first-last`; or JSON with "cidr"'
)
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
METADATA = '"type":"metadata"'  # Spamhaus tells of the list itself
COMMENTS = ("#", ";", "//")
RANGE = re.compile(r"(?:.*:)?\s*([0-9.]+)\s*-\s*([0-9.]+)\s*(?:[,;#].*)?\Z")
RANGE6 = re.compile(r"([0-9a-fA-F:.]+)\s*-\s*([0-9a-fA-F:.]+)\Z")
COLUMN = re.compile(r"[\s,;|]+")
REMARK = re.compile(r"#|//|\s;")
PADDED = re.compile(r"\d{3}(?:\.\d{3}){3}\Z")  # with zeros, and decimal: eMule's
PLAIN = "address or CIDR"
QUOTES = "\"'"
LONGEST_LINE = 1_000  # characters

type Found = tuple[str, Span]  # the format, and what the line names


def lines_of(data: bytes) -> Iterator[str]:
    """Yield the lines that name something; what is in no known encoding is replaced, and so malformed."""
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    # Decoded piece by piece: a list of a million networks would be several times its size as text.
    for line in TextIOWrapper(BytesIO(data), encoding, errors="replace"):
        text = line.strip()
        about = text.startswith("{") and METADATA in text.replace(" ", "")
        if text and not about and not text.startswith(COMMENTS):
            yield text


def span_of(line: str) -> Found:
    """Read one line.

    Raises:
        ValueError: it names nothing; the message shows it.
    """
    try:
        return PLAIN, parse_network(line).span
    except ValueError:
        return _other(line)


def _other(line: str) -> Found:
    # An address in a remark is not listed; but a name may hold what begins one.
    for text in (REMARK.split(line)[0].strip(), line) if len(line) <= LONGEST_LINE else ():
        with suppress(ValueError, LookupError, TypeError, RecursionError):
            return _read(text)
    raise ValueError(f"{line[:LONGEST_HOP]!r} names no network")


def _read(line: str) -> Found:
    if line.startswith("{"):
        return "JSON", parse_network(str(json.loads(line)["cidr"])).span
    if match := RANGE.match(line) or RANGE6.match(line):
        return _range(_host(match[1]), _host(match[2]))
    # The first column, and the second if it is a netmask or the end of a range.
    first, *others = (each.strip(QUOTES) for each in COLUMN.split(line.strip(QUOTES)))
    address, slash, mask = first.partition("/")
    begin, end = _host(address), _host(mask if slash else "".join(others[:1]))
    if end is None and not slash:  # with brackets or a port, perhaps
        return "column", _range(begin, begin)[1]
    if begin is None or end is None:
        network = parse_network(first, strict=False)
        return ("column" if network == network.cut() else "host bits set"), network.cut().span
    hosts = end ^ 0xFFFFFFFF
    if not (begin | end) >> 32 and hosts & hosts + 1 == 0:
        return "netmask", Span(begin & end, begin | hosts)
    return _range(begin, end)


def _range(first: Host | None, last: Host | None) -> Found:
    if first is None or last is None or first > last or first >> 32 == 0 < last >> 32:
        raise ValueError("the range has no beginning or no end")
    return "range", Span(first, last)


def _host(text: str) -> Host | None:
    if PADDED.match(text):
        text = ".".join(str(int(part)) for part in text.split("."))
    address = parse_address(text)
    return None if address is None else host_of(address)
