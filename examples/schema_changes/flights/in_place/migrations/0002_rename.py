"""Rename the column: from this moment the code that runs asks for one that is gone."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("in_place", "0001_delays")]
    operations: ClassVar = [migrations.RenameField("Delay", "late", "delay_minutes")]
