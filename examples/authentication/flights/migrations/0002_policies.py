"""Create the families, the role of the service, and the policies that it is under."""

from pathlib import Path

import sessions
from django.conf import settings
from django.db import migrations

HERE = Path(sessions.__file__).parent
# A role is the server's, and may be there from another database of it.
ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{settings.ROLE}') THEN
        CREATE ROLE {settings.ROLE} NOLOGIN;
    END IF;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {settings.ROLE};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {settings.ROLE};
"""


class Migration(migrations.Migration):
    dependencies = (
        ("flights", "0001_bookings"),
        ("token_blacklist", "0013_alter_blacklistedtoken_options_and_more"),
    )
    operations = (
        migrations.RunSQL((HERE / "family.sql").read_text(encoding="utf-8")),
        migrations.RunSQL((HERE / "policies.sql").read_text(encoding="utf-8")),
        migrations.RunSQL(ROLE),
    )
