"""A list of networks is kept with the addresses."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("flights", "0001_initial")]
    operations: ClassVar = [migrations.DeleteModel("ListedNetwork")]
