"""What a request may say: which booking."""

import json
from dataclasses import dataclass


class Refused(ValueError):
    """What was sent is no booking; the message says why."""


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
    except (ValueError, KeyError, TypeError):
        raise Refused("send JSON with reference, payer, payee and cents") from None
    numbers = (asked.payer, asked.payee, asked.cents)
    if any(type(each) is not int or not 0 < each < 2**31 for each in numbers):
        raise Refused("payer, payee and cents are whole numbers above 0")
    if (
        type(asked.reference) is not str
        or not asked.reference.isalnum()
        or len(asked.reference) > 40
    ):
        raise Refused("reference has at most 40 letters and digits")
    if asked.payer == asked.payee:
        raise Refused("payer and payee are two accounts")
    return asked
