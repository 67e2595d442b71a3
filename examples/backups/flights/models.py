"""A ledger: each booking moves an amount between two accounts, so that all balances together are 0."""

from django.db import models
from django.db.models.functions import Now


class Account(models.Model):
    """Who pays and is paid; its balance is what its bookings come to."""

    balance_cents = models.BigIntegerField(default=0)


class Booking(models.Model):
    """One movement, which the client names, so that it can ask for it again."""

    reference = models.CharField(max_length=40, unique=True)
    payer = models.ForeignKey(Account, models.PROTECT, related_name="paid")
    payee = models.ForeignKey(Account, models.PROTECT, related_name="received")
    cents = models.PositiveIntegerField()
    booked_at = models.DateTimeField(db_default=Now())
