"""End the sessions of a user whose password changes."""

from pathlib import Path

import sessions
from django.db import migrations

PASSWORD = Path(sessions.__file__).with_name("password.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = (("flights", "0002_policies"),)
    operations = (migrations.RunSQL(PASSWORD),)
