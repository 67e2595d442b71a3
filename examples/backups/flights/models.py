"""A ledger: each booking moves an amount between two accounts, so that all balances together are 0."""

from django.db.models import (
    PROTECT,
    BigIntegerField,
    CharField,
    DateTimeField,
    ForeignKey,
    Model,
    PositiveIntegerField,
)
from django.db.models.functions import Now


class Account(Model):
    """Who pays and is paid; its balance is what its bookings come to."""

    balance_cents = BigIntegerField(default=0)


class Booking(Model):
    """One movement, which the client names, so that it can ask for it again."""

    reference = CharField(max_length=40, unique=True)
    payer = ForeignKey(Account, PROTECT, related_name="paid")
    payee = ForeignKey(Account, PROTECT, related_name="received")
    cents = PositiveIntegerField()
    booked_at = DateTimeField(db_default=Now())
