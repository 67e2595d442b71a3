"""Hand what is due to the broker, and send again what was lost, until stopped."""

import signal
import sys
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand

from jobs.broker import Publisher
from jobs.configured import policy
from jobs.duties import Duty, keep
from jobs.outbox import carry_out
from jobs.sweep import sweep
from jobs.topology import GROUPS
from jobs.transport import app
from jobs.watch import send_canary


def look_after(queue: str, publisher: Publisher) -> bool:
    send_canary(queue)
    sweep(queue, publisher.waiting(queue), policy())
    return False


class Command(BaseCommand):
    help = "Hand what is due to the broker, and send again what was lost, until stopped."
    requires_system_checks = ()  # `prepare` has run them; they would read what serves alone

    def handle(self, *_: Any, **__: Any) -> None:
        # The first process of a container ends by no signal that it does not handle.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        publisher = Publisher(app)
        duties = [
            Duty(queue, 0.05, partial(carry_out, queue, most, publisher))
            for queue, most in GROUPS.items()
        ]
        duties += [Duty(queue, 1.0, partial(look_after, queue, publisher)) for queue in GROUPS]
        keep(duties)
