"""Runs of feeds are kept as they are: to compress one of a million networks takes longer than to write it."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("bans", "0003_width")]
    operations: ClassVar = [
        migrations.RunSQL("ALTER TABLE bans_feed ALTER COLUMN run SET STORAGE EXTERNAL")
    ]
