"""What a request may say."""

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from shield.addresses import Address, parse_address, parse_network

LONGEST_NETWORK = 60  # characters
LONGEST_NAME = 50  # of a feed
MOST_ADDRESSES = 5_000
MOST_SECONDS = 100 * 365 * 86_400


class Malformed(ValueError):
    """The request is no such thing; the message says why."""


def body(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Malformed("the body is no JSON object")
    return found


@dataclass(frozen=True, slots=True)
class Ban:
    """Whom to ban, and for how long."""

    network: str
    seconds: int | None


def ban(request: HttpRequest) -> Ban:
    given = body(request)
    seconds = given.get("seconds")
    if seconds is not None and (type(seconds) is not int or not 0 < seconds <= MOST_SECONDS):
        raise Malformed(f"seconds is no number from 1 to {MOST_SECONDS}")
    return Ban(network(given.get("network")), seconds)


def network(given: object) -> str:
    """Return what names a network: to some variants that is any text."""
    if not isinstance(given, str) or len(given) > LONGEST_NETWORK:
        raise Malformed(f"network is no text of at most {LONGEST_NETWORK} characters")
    try:
        parse_network(given)
    except ValueError as error:
        raise Malformed(str(error)) from None
    return given


def feed(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise Malformed(f"the name of the feed has more than {LONGEST_NAME} characters")
    return name


def addresses(request: HttpRequest) -> list[Address]:
    given = body(request).get("addresses")
    if not isinstance(given, list) or len(given) > MOST_ADDRESSES:
        raise Malformed(f"addresses is no list of at most {MOST_ADDRESSES}")
    found = [parse_address(str(each)) for each in given]
    if None in found:
        raise Malformed(f"{str(given[found.index(None)])[:LONGEST_NETWORK]!r} is no address")
    return [each for each in found if each is not None]
