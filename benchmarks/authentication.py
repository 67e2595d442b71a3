"""Measures login, refresh and access check of the example beside its peers, in one run on one PostgreSQL.

One client asks the application in the same process, round by round in turn, without a network and a server.
CPU is that of this process; what PostgreSQL needs is in the requests per second alone. Passwords are hashed
with MD5 here, for else a login is its hash and nothing else; what that costs is a goal's figure.
`python benchmarks/authentication.py` needs DATABASE_URL, the example on PYTHONPATH and the packages of
authentication.txt; `make bench` sees to it.
"""

import argparse
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any
from wsgiref.util import setup_testing_defaults

import django
from django.conf import settings
from outcome import Cell, Measured

COLUMNS = (
    "peer",
    "login without its hash, requests/s",
    "CPU ms",
    "refresh, requests/s",
    "CPU ms",
    "access check, requests/s",
    "CPU ms",
    "statements",
)
ROUNDS, REQUESTS = 9, 60
HASHES = 3
PACKAGES = (
    "django",
    "djangorestframework",
    "djangorestframework-simplejwt",
    "django-rest-knox",
    "django-allauth",
    "pyjwt",
    "psycopg",
)
# allauth's headless API as its documentation sets it up, without the limits that one client's logins meet.
ALLAUTH = {
    "HEADLESS_ONLY": True,
    "HEADLESS_TOKEN_STRATEGY": "allauth.headless.tokens.strategies.jwt.JWTTokenStrategy",
    "HEADLESS_JWT_ALGORITHM": "HS256",
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_RATE_LIMITS": False,
}
ALLAUTH_MIDDLEWARE = "allauth.account.middleware.AccountMiddleware"
GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO flights_api"
type Tokens = dict[str, str]


@dataclass(slots=True)
class Peer:
    """One way of signing in, and what its rounds took: (operation) -> (requests per second, CPU ms)."""

    name: str
    route: str
    header: str  # that carries the access token
    refresh: str = "refresh"  # the name of its refresh token; "": it has none
    seen: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    statements: int = 0

    def of(self, operation: str, place: int) -> float:
        return median(each[place] for each in self.seen[operation])


PEERS = (
    Peer("sessions", "sessions", "Bearer {access}"),
    Peer("simplejwt", "simplejwt", "Bearer {access}"),
    Peer("django-rest-knox", "knox", "Token {access}", refresh=""),
    Peer("allauth headless, JWT", "allauth", "Bearer {access_token}", refresh="refresh_token"),
    Peer("Django's sessions", "django", "", refresh=""),
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure tokens beside their peers.")
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    output: Path | None = parser.parse_args().output
    set_up()
    measured = run()
    measured.show("Login, refresh and access check beside their peers")
    if output:
        measured.write(output, versions())
    return 0


def set_up() -> None:
    """Take the example's own settings, add the peers, and load its users."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ.setdefault("SECRET_KEY", "benchmark " * 5)
    os.environ.setdefault("STAFF_TOKEN", "the password of all")
    allauth = ["allauth", "allauth.account", "allauth.headless"]
    settings.INSTALLED_APPS += ["django.contrib.sessions", "knox", *allauth]
    for name, value in ALLAUTH.items():
        setattr(settings, name, value)
    settings.MIDDLEWARE += [ALLAUTH_MIDDLEWARE]
    settings.SESSION_COOKIE_SECURE = True  # as `check --deploy` asks
    settings.ROOT_URLCONF = "authentication_peers"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django.setup()
    settings.MIDDLEWARE.remove(ALLAUTH_MIDDLEWARE)  # it looks for it, and its routes alone have it
    logging.disable(logging.ERROR)
    from django.core.management import call_command
    from django.db import connections

    call_command("prepare", verbosity=0)
    with connections["owner"].cursor() as cursor:
        cursor.execute(GRANT)  # of the tables that the peers brought


def versions() -> dict[str, str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server = cursor.fetchone()[0]
    named = {package: version(package) for package in PACKAGES}
    return {"python": platform.python_version(), "postgres": server} | named


class Client:
    """Asks the WSGI application itself."""

    def __init__(self) -> None:
        from django.core.wsgi import get_wsgi_application

        self.application: Callable[..., Any] = get_wsgi_application()

    def ask(self, path: str, body: Tokens | None = None, **headers: str) -> tuple[Any, str]:
        """Return the JSON of an answer, and the session that its cookie names."""
        data = b"" if body is None else json.dumps(body).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET" if body is None else "POST",
            "PATH_INFO": f"/api/{path}/",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(data)),
            "wsgi.input": BytesIO(data),
            "HTTP_HOST": "localhost",
            **headers,
        }
        setup_testing_defaults(environ)
        told: list[Any] = []
        answer = self.application(environ, lambda *args: told.extend(args))
        text = b"".join(answer)
        answer.close()
        if told[0] != "200 OK":
            raise SystemExit(f"{path}: {told[0]} {text.decode()}")
        cookies = [value for name, value in told[1] if name == "Set-Cookie"]
        return json.loads(text), cookies[0].split(";")[0] if cookies else ""


def run() -> Measured:
    from django.contrib.auth.hashers import PBKDF2PasswordHasher
    from django.db import connection

    client = Client()
    access = {peer.name: signed_in(client, peer, "passenger-1") for peer in PEERS}
    refresh = {peer.name: signed_in(client, peer, "passenger-2") for peer in PEERS}
    for peer in PEERS:
        with connection.execute_wrapper(Count(peer)):
            check(client, peer, access[peer.name])
    for number in range(ROUNDS):
        for peer in PEERS[number % len(PEERS) :] + PEERS[: number % len(PEERS)]:
            timed(peer, "login", lambda peer=peer: signed_in(client, peer, "passenger-3"))
            timed(peer, "access", lambda peer=peer: check(client, peer, access[peer.name]))
            if peer.refresh:
                timed(peer, "refresh", lambda peer=peer: again(client, peer, refresh[peer.name]))
    hashing = PBKDF2PasswordHasher()
    began = time.process_time()
    for _ in range(HASHES):
        hashing.encode("a password", "salt" * 6)
    hash_ms = (time.process_time() - began) / HASHES * 1000
    return Measured(COLUMNS, [row(peer) for peer in PEERS], [*goals(hash_ms)])


class Count:
    """Counts the statements of a request; those that begin and end its transaction are not among them."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def __call__(self, execute: Callable[..., Any], *args: Any) -> Any:
        self.peer.statements += 1
        return execute(*args)


def timed(peer: Peer, operation: str, once: Callable[[], Any]) -> None:
    cpu, began = time.process_time(), time.perf_counter()
    for _ in range(REQUESTS):
        once()
    seconds = time.perf_counter() - began
    cpu_ms = (time.process_time() - cpu) / REQUESTS * 1000
    peer.seen.setdefault(operation, []).append((REQUESTS / seconds, cpu_ms))


def signed_in(client: Client, peer: Peer, name: str) -> Tokens:
    body = {"username": name, "password": settings.STAFF_TOKEN}
    answer, cookie = client.ask(f"{peer.route}/login", body)
    return {**answer.get("meta", answer), "cookie": cookie}


def again(client: Client, peer: Peer, tokens: Tokens) -> None:
    """Refresh, and keep what comes: the next one is the live one."""
    answer, _ = client.ask(f"{peer.route}/refresh", {peer.refresh: tokens[peer.refresh]})
    tokens |= answer.get("data", answer)


def check(client: Client, peer: Peer, tokens: Tokens) -> None:
    headers = {"HTTP_COOKIE": tokens["cookie"]}
    if peer.header:
        headers = {"HTTP_AUTHORIZATION": peer.header.format(**tokens)}
    client.ask(f"{peer.route}/me", **headers)


def row(peer: Peer) -> Sequence[Cell]:
    cells: list[Cell] = [peer.name]
    for operation in ("login", "refresh", "access"):
        found = operation in peer.seen
        cells.append(round(peer.of(operation, 0)) if found else "")
        cells.append(round(peer.of(operation, 1), 2) if found else "")
    return [*cells, peer.statements]


def goals(hash_ms: float) -> Iterator[tuple[bool, str]]:
    """Yield the goals of this example, each with whether this run met it."""
    ours, simplejwt, *_ = PEERS
    ratio = ours.of("refresh", 1) / simplejwt.of("refresh", 1)
    yield ratio <= 0.5, f"a refresh in <= 0.5 x the CPU of simplejwt's: {ratio:.2f}"
    best = min(PEERS[1:], key=lambda peer: peer.of("access", 1))
    ratio = ours.of("access", 1) / best.of("access", 1)
    words = f"an access check in <= 1.2 x the CPU of the cheapest peer's: {ratio:.2f} ({best.name})"
    yield ratio <= 1.2, words
    share = ours.of("login", 1) / hash_ms
    yield share <= 0.02, f"a login's rest in <= 0.02 x its hash, of {hash_ms:.0f} ms: {share:.3f}"


if __name__ == "__main__":
    sys.exit(main())
