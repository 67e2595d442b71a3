"""Remove a column: it can be added again, what it held cannot."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("in_place", "0002_rename")]
    operations: ClassVar = [migrations.RemoveField("Delay", "cause")]
