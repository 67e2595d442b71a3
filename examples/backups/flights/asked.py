"""What a request may say: which booking."""

import json

from .models import Booking

FORM = (
    "send JSON with a reference of at most 40 letters and digits, payer and payee, which are two accounts, "
    "and whole cents above 0"
)


class Refused(ValueError):
    """What was sent is no booking."""


def booking(body: bytes) -> Booking:
    """Read a booking, which is not made yet.

    Raises:
        Refused: it is none.
    """
    try:
        said = json.loads(body)
        reference, payer, payee, cents = map(said.get, ("reference", "payer", "payee", "cents"))
        whole = all(type(each) is int and 0 < each < 2**31 for each in (payer, payee, cents))
        named = reference.isalnum() and len(reference) <= 40
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Refused(FORM) from None
    if not (whole and named and payer != payee):
        raise Refused(FORM)
    return Booking(reference=reference, payer_id=payer, payee_id=payee, cents=cents)
