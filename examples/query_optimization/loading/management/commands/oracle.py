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
            reader = csv.reader(lines)
            delay, origin, hour = map(next(reader).index, ("dep_delay", "origin", "time_hour"))
            for row in reader:
                minutes = None if row[delay] == "NA" else int(row[delay])
                flights[row[hour][:7], row[origin]].append(minutes)  # 2013-07, UTC
        wet: defaultdict[tuple[str, str], int] = defaultdict(int)
        for record in files.records("weather.csv"):
            wet[record["time_hour"][:7], record["origin"]] += float(record["precip"] or 0) >= 0.1
        report: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for (month, airport), delays in sorted(flights.items()):
            flown = [delay for delay in delays if delay is not None]
            report[month].append(
                {
                    "airport": airport,
                    "flights": len(delays),
                    "cancelled": len(delays) - len(flown),
                    "mean_delay": round(sum(flown) / len(flown), 2),
                    "wet_hours": wet[month, airport],
                }
            )
        self.stdout.write(json.dumps(report))
