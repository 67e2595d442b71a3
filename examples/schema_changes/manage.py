#!/usr/bin/env python
"""Run Django's commands, and this example's own: `prepare`, `begin`, `alter` and `rehearse`."""

import os
import signal
import sys

from django.core.management import execute_from_command_line

GIVEN_UP_SECONDS = 100  # below what the judge of a reader's own variant waits for all of a claim


def bounded() -> None:
    """End the command, and on the server its statement, if a reader's own change does not end."""
    said = f"It was given up after {GIVEN_UP_SECONDS} s."
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(said))
    signal.alarm(GIVEN_UP_SECONDS)
    os.environ["PGOPTIONS"] = "-c client_connection_check_interval=1s"


if __name__ == "__main__":
    if "mine" in sys.argv:
        bounded()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    execute_from_command_line(sys.argv)
