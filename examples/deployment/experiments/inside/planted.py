"""What `no-secret-in-sight` runs where the service runs, by `manage.py shell`.

It starts a release with secrets made up for it, makes it fail three times, and prints what others see.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from secrets import token_hex
from socket import create_server, socket
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.parse import quote

from django.conf import settings
from ways.configured import BASE

PATIENCE_SECONDS = 60
NAMES = ("SECRET_KEY", "DATABASE_URL", "PAYMENT_URL")
ODD = "'&/@"  # what a password may have in it, and each place writes in its own way
BETWEEN_LETTERS = b"-" * 79 + b"\n"  # of Django's file-based mailer


def expose(module: str, secrets_in: str) -> None:
    """Print the cores of the secrets, and what each place shows of a release with these settings."""
    database = settings.DATABASES["default"]
    where = f"{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"
    cores = {name: token_hex(16) for name in NAMES}
    with TemporaryDirectory() as name, socket() as provider:
        provider.bind(("127.0.0.1", 0))  # and does not listen yet: who asks is refused
        told = addresses(cores, where, provider.getsockname()[1])
        if secrets_in == "files":
            told = in_files(told, Path(name))
        told["DJANGO_SETTINGS_MODULE"] = module
        places = exposed(Path(name), told, provider)
    sys.stdout.write(json.dumps({"planted": cores, "places": places}))


def exposed(folder: Path, told: dict[str, str], provider: socket) -> dict[str, str]:
    """Return what each place shows: two payments fail, then the database refuses the password."""
    with release(folder, told) as (pid, port):
        pages = ask(port)
        provider.listen()
        Thread(target=pay, args=(provider, b"402 No Money", b"200 OK"), daemon=True).start()
        pages += ask(port) + ask(port)
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


def addresses(cores: Mapping[str, str], database: str, provider: int) -> dict[str, str]:
    """Return the values of the variables, each with its random core in it; no server knows `planted`."""
    passwords = {name: quote(core + ODD, safe="") for name, core in cores.items()}
    return {
        "SECRET_KEY": cores["SECRET_KEY"] + ODD + token_hex(16),
        "DATABASE_URL": f"postgres://planted:{passwords['DATABASE_URL']}@{database}",
        "PAYMENT_URL": f"http://shop:{passwords['PAYMENT_URL']}@127.0.0.1:{provider}/charge",
    }


def in_files(values: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Write each value to a file that nobody else reads; return the variables that name the files."""
    for name, value in values.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(value, encoding="utf-8")
    return {f"{name}_FILE": str(folder / name) for name in values}


@contextmanager
def release(folder: Path, told: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Run the service until the end of the block; yield its process and its port."""
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if name not in NAMES}
    env |= {**told, "DEBUG": "1", "PAYMENTS": "1", "MAIL_FOLDER": str(folder / "mail")}
    command = f"gunicorn --config config/gunicorn.py --bind 127.0.0.1:{port} config.wsgi"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command.split()], env=env, cwd=BASE, stdout=log, stderr=log
        )
    try:
        _until_answered(process, port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def _until_answered(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ask(port, "GET", "/api/")
        except (OSError, HTTPException):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the release with made-up secrets ended with {process.poll()}")


def ask(port: int, method: str = "POST", path: str = "/api/bookings/") -> str:
    """Return the answer to a booking, page and fields, as a browser would get it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    headers = {"Idempotency-Key": token_hex(8), "Accept": "text/html"}
    try:
        connection.request(method, path, '{"flight": "B6725", "passenger": "Ada"}', headers)
        answer = connection.getresponse()
        return f"{answer.headers}\n{answer.read().decode()}"
    finally:
        connection.close()


def pay(provider: socket, *answers: bytes) -> None:
    """Answer the requests for a payment that come."""
    for answer in answers:
        asking, _ = provider.accept()
        with asking:
            asking.recv(65536)
            asking.sendall(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 7\r\n\r\nreceipt")
