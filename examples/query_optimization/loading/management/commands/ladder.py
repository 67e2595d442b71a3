"""Measure one way of loading and exporting: rows a second beside the other ways, memory at two sizes."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from loading.ladder import export_peak_bytes, peak_bytes, rows_per_second
from loading.ways import MINE, WAYS

ROWS = {"create": 400, "bulk_create": 4_000, "copy": 40_000, MINE: 2_000}
EXPORTED = (2_000, 8_000)


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("way", choices=[*WAYS, MINE] if settings.MINE else WAYS)

    def handle(self, *_args: Any, **options: Any) -> None:
        way = options["way"]
        others = {"create", "bulk_create"}  # what each is compared with
        speeds = {each: rows_per_second(each, ROWS[each]) for each in sorted(others | {way})}
        few, many = ROWS[way] // 4, ROWS[way]
        figures = {
            "rows_per_second": speeds,
            "peak_bytes": [peak_bytes(way, rows) for rows in (few, many)],
            "export_peak_bytes": [export_peak_bytes(way, rows) for rows in EXPORTED],
        }
        self.stdout.write(json.dumps(figures))
