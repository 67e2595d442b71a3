"""Add the new column beside the old one, nullable, and keep both equal from here on."""

from typing import ClassVar

from django.db import migrations

from flights.expand_contract.steps import TABLE, expand


class Migration(migrations.Migration):
    atomic = False  # each statement lets go of its lock
    dependencies: ClassVar = [("expand_contract", "0001_delays")]
    operations: ClassVar = expand(TABLE)
