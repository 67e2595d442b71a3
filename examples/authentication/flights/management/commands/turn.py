"""Take the signing keys one step on: `publish` the next one, let it `sign`, `retire` the one before it."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from flights import configured

CACHED_SECONDS = 300  # by who verifies elsewhere: max-age of the public keys


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("step", choices=("publish", "sign", "retire"))
        parser.add_argument("--now", action="store_true", help="though somebody may be refused")

    def handle(self, *_args: Any, **options: Any) -> None:
        file, now = configured.key_file(), time.time()
        waits = {"sign": CACHED_SECONDS, "retire": configured.access().seconds}
        wait = 0 if options["now"] else waits.get(options["step"], 0)
        try:
            keys = file.keys()
            steps = {
                "publish": lambda: keys.publish(now),
                "sign": lambda: keys.sign(now, wait),
                "retire": lambda: keys.retire(now, wait),
            }
            turned = steps[options["step"]]()
            file.write(turned)
        except ValueError as error:
            raise CommandError(str(error)) from None
        self.stdout.writelines(f"{key.kid} {key.state}\n" for key in turned.all)
