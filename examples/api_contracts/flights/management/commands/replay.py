"""Send a variant what clients of an earlier release sent, and say what they would miss; one line a call."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from http.client import HTTPConnection
from os import environ
from typing import Any

from contract.replay import Answer, Call, replay
from django.core.management.base import BaseCommand, CommandError

from flights.configured import RELEASES, contract


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("variant")
        parser.add_argument("--release", default="2025")
        parser.add_argument("--at", default=f"127.0.0.1:{environ.get('PORT', '8001')}")
        told = "end well although calls are broken: only say which"
        parser.add_argument("--exit-zero", action="store_true", help=told)

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            self._replay(options)
        except OSError as error:  # nothing was recorded of that release, or nobody answers there
            raise CommandError(f"{options['release']} at {options['at']}: {error}") from None

    def _replay(self, options: Mapping[str, Any]) -> None:
        recorded = (RELEASES / f"{options['release']}.calls.json").read_text(encoding="utf-8")
        calls = [Call(**each) for each in json.loads(recorded)]

        def send(method: str, path: str, headers: Mapping[str, str], body: Any) -> Answer:
            connection = HTTPConnection(options["at"], timeout=60)
            said = json.dumps(body) if body is not None else None
            sent = {**headers, "Content-Type": "application/json"} if said else {**headers}
            connection.request(method, f"/api/{options['variant']}{path}", said, sent)
            answer = connection.getresponse()
            text = answer.read()
            got = {name.lower(): value for name, value in answer.headers.items()}
            told = json.loads(text) if "json" in got.get("content-type", "") else None
            connection.close()
            return Answer(answer.status, got, told)

        broken = 0
        for call, fault in replay(calls, contract(options["release"]), send):
            broken += bool(fault)
            self.stdout.write(f"{'broken' if fault else 'kept'}: {call.name}: {fault}")
        if broken and not options["exit_zero"]:
            raise CommandError(
                f"{broken} of {len(calls)} calls of {options['release']} are broken: do not release this."
            )
