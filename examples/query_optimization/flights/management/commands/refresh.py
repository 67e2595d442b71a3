"""Bring the months of each airport up to date, while they are read."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        with connection.cursor() as cursor:
            # Without CONCURRENTLY nobody could read them meanwhile.
            cursor.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY flights_monthly")
            cursor.execute("ANALYZE flights_monthly")
