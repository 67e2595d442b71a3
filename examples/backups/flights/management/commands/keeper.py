"""Run what the way in force needs all the time, and keep and check once a night, until stopped."""

import signal
import sys
import threading
import time
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand
from keep.place import Failed

from flights.keeping import alone, begin, checked, kept, read
from flights.supervised import Supervised
from flights.variants import SOLUTION


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        # The first process of a container ends by no signal that it does not handle.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        programs = Supervised()
        threading.Thread(target=self.nights, daemon=True).start()
        try:
            while True:
                programs.look()
                time.sleep(0.05)
        finally:
            programs.stop()

    def nights(self) -> None:
        """One night after the other; the first is now."""
        while True:
            with alone():
                self.night()
            time.sleep(settings.KEEP_HOURS * 3600)

    def night(self) -> None:
        """Keep and check; of a place without anything, put the solution in force before."""
        try:
            if read("wanted") is None:
                begin(SOLUTION)
        except (Failed, psycopg.Error) as fault:
            self.stderr.write(str(fault))
            return
        if name := read("wanted"):
            for report in (kept(name), checked(name)):
                self.stdout.write(f"{name}: {'good' if report.good else 'BAD'}: {report.says}")
