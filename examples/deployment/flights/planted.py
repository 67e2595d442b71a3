"""A release with secrets made up for it, and every report of an error switched on."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from secrets import token_hex
from socket import create_server, socket
from urllib.parse import quote

PATIENCE_SECONDS = 60
ODD = "'&/@"  # what a password may have in it, and each place writes in its own way
SERVICE = Path(__file__).parent.parent


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
    env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    env |= {**told, "DEBUG": "1", "PAYMENTS": "1", "MAIL_FOLDER": str(folder / "mail")}
    command = f"gunicorn --config config/gunicorn.py --bind 127.0.0.1:{port} config.wsgi"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command.split()], env=env, cwd=SERVICE, stdout=log, stderr=log
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


def charge_once(provider: socket) -> None:
    """Answer the one request for a payment that comes."""
    asking, _ = provider.accept()
    with asking:
        asking.recv(65536)
        asking.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nreceipt")
