"""The ways in which code changes a row, or tries to."""

from django.db import transaction

from .models import Airport


def save(code: str, name: str) -> None:
    with transaction.atomic():
        airport = Airport.objects.get(code=code)
        airport.name = name
        airport.save(update_fields=["name"])


def update(code: str, name: str) -> None:
    """The way that sends no signal."""
    Airport.objects.filter(code=code).update(name=name)


def preview(code: str, name: str) -> None:
    """Try the edit, and take all of it back."""
    with transaction.atomic():
        save(code, name)
        transaction.set_rollback(True)


WAYS = {each.__name__: each for each in (save, update, preview)}
