"""Write a booking: one transaction, and what it answers is what the ledger has."""

from django.db import IntegrityError, transaction
from django.db.models import F

from .models import Account, Booking

ACCOUNTS = 100


class Known(Exception):
    """There is a booking of this reference already."""


def book(asked: Booking) -> None:
    """Move the amount; once this returns, the booking is committed.

    Raises:
        Known: it is there already.
        Account.DoesNotExist: one of the accounts is not.
    """
    moves = sorted([(asked.payer_id, -asked.cents), (asked.payee_id, asked.cents)])
    try:
        with transaction.atomic():
            for account, cents in moves:  # in one order, or two bookings would wait for each other
                found = Account.objects.filter(id=account)
                if not found.update(balance_cents=F("balance_cents") + cents):
                    raise Account.DoesNotExist
            asked.save(force_insert=True)
    except IntegrityError:
        raise Known from None


def open_accounts() -> int:
    """Open the accounts that are not open yet; return how many there are."""
    Account.objects.bulk_create(
        (Account(id=number + 1) for number in range(ACCOUNTS)), ignore_conflicts=True
    )
    return Account.objects.count()
