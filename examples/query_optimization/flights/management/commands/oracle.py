"""Count the monthly report from the CSV files alone: no database, no model, plain loops."""

import csv
import json
from collections import defaultdict
from typing import Any

from django.core.management.base import BaseCommand
from loading import files


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        flights: defaultdict[tuple[str, str], list[int | None]] = defaultdict(list)
        with files.flights_csv() as lines:
            for row in csv.DictReader(lines):
                delay = None if row["dep_delay"] == "NA" else int(row["dep_delay"])
                flights[row["time_hour"][:7], row["origin"]].append(delay)  # 2013-07, UTC
        wet: defaultdict[tuple[str, str], int] = defaultdict(int)
        for row in files.records("weather.csv"):
            wet[row["time_hour"][:7], row["origin"]] += float(row["precip"] or 0) >= 0.1
        report: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for (month, origin), delays in sorted(flights.items()):
            flown = [delay for delay in delays if delay is not None]
            report[month].append(
                {
                    "airport": origin,
                    "flights": len(delays),
                    "cancelled": len(delays) - len(flown),
                    "mean_delay": round(sum(flown) / len(flown), 2),
                    "wet_hours": wet[month, origin],
                }
            )
        self.stdout.write(json.dumps(report))
