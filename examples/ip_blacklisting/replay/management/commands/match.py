"""Compare a matcher with the standard library, and print what was found so far: a JSON line a round."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from replay.matching import check


class Command(BaseCommand):
    help = "Compare a matcher with the standard library, under random changes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("variant", choices=["bisect", "shield"])
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *_: Any, variant: str, seed: int, **__: Any) -> None:
        for checked in check(seed, variant):
            self.stdout.write(json.dumps(asdict(checked)))
