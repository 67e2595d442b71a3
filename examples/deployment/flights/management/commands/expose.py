"""Start a release with secrets made up for it, make it fail twice, and print what others see, as JSON."""

import json
from argparse import ArgumentParser
from email import message_from_bytes, policy
from pathlib import Path
from secrets import token_hex
from socket import socket
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from flights.planted import addresses, ask, charge_once, in_files, release

NAMES = ("SECRET_KEY", "DATABASE_URL", "PAYMENT_URL")
BETWEEN_LETTERS = b"-" * 79 + b"\n"  # of Django's file-based mailer


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("settings", choices=("config.as_usual", "config.settings"))
        parser.add_argument("secrets_in", choices=("variables", "files"))

    def handle(self, *_args: Any, **options: Any) -> None:
        database = settings.DATABASES["default"]
        where = f"{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"
        cores = {name: token_hex(16) for name in NAMES}
        with TemporaryDirectory() as name, socket() as provider:
            provider.bind(("127.0.0.1", 0))  # and does not listen yet: who asks is refused
            told = addresses(cores, where, provider.getsockname()[1])
            if options["secrets_in"] == "files":
                told = in_files(told, Path(name))
            told["DJANGO_SETTINGS_MODULE"] = options["settings"]
            places = exposed(Path(name), told, provider)
        self.stdout.write(json.dumps({"planted": cores, "places": places}))


def exposed(folder: Path, told: dict[str, str], provider: socket) -> dict[str, str]:
    """Return what each place shows: the payment fails once, then the database refuses the password."""
    with release(folder, told) as (pid, port):
        pages = ask(port)
        provider.listen()
        Thread(target=charge_once, args=(provider,), daemon=True).start()
        pages += ask(port)
        places = {"debug page": pages} | seen(pid)
    letters = [
        message_from_bytes(letter, policy=policy.default)
        for file in (folder / "mail").iterdir()
        for letter in file.read_bytes().split(BETWEEN_LETTERS)
    ]
    for kind in ("plain", "html"):
        bodies = [letter.get_body((kind,)) for letter in letters]
        places[f"error mail, {kind}"] = "\n".join(body.get_content() for body in bodies if body)
    places["subject of an error mail"] = "\n".join(str(letter["Subject"]) for letter in letters)
    places["log"] = (folder / "log").read_text(encoding="utf-8", errors="replace")
    return places


def seen(pid: int) -> dict[str, str]:
    """Return what /proc shows of a process, of its child, and of the commands of all."""
    child = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()[0]
    commands = [words(one) for one in Path("/proc").glob("[0-9]*/cmdline")]
    return {
        "environment of the process": words(Path(f"/proc/{pid}/environ")),
        "environment of its child": words(Path(f"/proc/{child}/environ")),
        "process list": "\n".join(commands),
    }


def words(file: Path) -> str:
    try:
        return file.read_bytes().replace(b"\0", b"\n").decode(errors="replace")
    except OSError:  # of a process that has ended meanwhile
        return ""
