"""Measure one way of loading: rows a second beside bulk_create's and create's, and memory at two sizes."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from loading.ladder import WAYS, peak_bytes, rows_per_second

ROWS = {"create": 600, "bulk_create": 6_000, "copy": 80_000}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("way", choices=WAYS)

    def handle(self, *_args: Any, **options: Any) -> None:
        way = options["way"]
        speeds = {each: rows_per_second(each, rows) for each, rows in ROWS.items()}
        few, many = ROWS[way] // 4, ROWS[way]
        figures = {
            "rows_per_second": speeds,
            "peak_bytes": {str(few): peak_bytes(way, few), str(many): peak_bytes(way, many)},
        }
        self.stdout.write(json.dumps(figures))
