"""Show each index with its size and use; name those that are unused, duplicate or invalid."""

from pathlib import Path
from typing import Any

import plans
from django.core.management.base import BaseCommand
from django.db import connection

SQL = Path(plans.__file__).parent


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute((SQL / "indexes.sql").read_text("utf-8"))
            for table, index, size, scans, verdict in cursor.fetchall():
                self.stdout.write(f"{table:<18} {index:<40} {size:>12,} B {scans:>9,}  {verdict}")
            cursor.execute((SQL / "keys.sql").read_text("utf-8"))
            for table, key in cursor.fetchall():
                self.stdout.write(f"{table:<18} {key}: a foreign key without an index")
