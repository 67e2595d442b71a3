"""Run what the way in force needs all the time, and keep and check once a night, until stopped."""

import signal
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from flights.keeping import alone, begin, checked, kept, note, read
from flights.reporting import tried
from flights.supervised import Supervised
from flights.variants import SOLUTION


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        # The first process of a container ends by no signal that it does not handle.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        programs = Supervised()
        nights = threading.Thread(target=self.nights, daemon=True)
        nights.start()
        try:
            while nights.is_alive():
                programs.look()
                time.sleep(0.05)
        finally:
            programs.stop()
        raise CommandError("The nights have ended; what ended them is said above.")

    def nights(self) -> None:
        """One night after the other; a keeper that is started again waits for the next."""
        while True:
            due = float(read("night") or 0) + settings.KEEP_HOURS * 3600
            time.sleep(max(0, due - time.time()))
            with alone():
                self.night()
                note("night", str(time.time()))

    def night(self) -> None:
        """Keep and check; of a place without anything, put the solution in force before."""
        if not read("wanted"):
            begin(SOLUTION)  # what it raises ends the keeper, which is started again
        if name := read("wanted"):
            for act in (kept, checked):
                report = tried(act, name)
                self.stdout.write(f"{name}: {'good' if report.good else 'BAD'}: {report.says}")
