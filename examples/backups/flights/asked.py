"""What a request may say: which booking."""

import json
from dataclasses import dataclass

FORM = (
    "send JSON with a reference of at most 40 letters and digits, payer and payee, which are two accounts, "
    "and whole cents above 0"
)


class Refused(ValueError):
    """What was sent is no booking."""


@dataclass(frozen=True, slots=True)
class Asked:
    reference: str
    payer: int
    payee: int
    cents: int


def booking(body: bytes) -> Asked:
    """Read a booking.

    Raises:
        Refused: it is none.
    """
    try:
        said = json.loads(body)
        asked = Asked(said["reference"], said["payer"], said["payee"], said["cents"])
        numbers = (asked.payer, asked.payee, asked.cents)
        whole = all(type(each) is int and 0 < each < 2**31 for each in numbers)
        named = asked.reference.isalnum() and len(asked.reference) <= 40
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused(FORM) from None
    if not (whole and named and asked.payer != asked.payee):
        raise Refused(FORM)
    return asked
