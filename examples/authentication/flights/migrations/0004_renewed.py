"""Let a hash that is stored anew end no session."""

from pathlib import Path

import sessions
from django.db import migrations

PASSWORD = Path(sessions.__file__).with_name("password.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = (("flights", "0003_password"),)
    operations = (migrations.RunSQL(PASSWORD),)  # 0003 may have run what it was before
