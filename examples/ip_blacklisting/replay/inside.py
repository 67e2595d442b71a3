"""Puts requests to the application in this process, as a server does, one after the other.

A connection of this machine comes from a loopback address, which cannot be banned. Here the peer's address
is put where the server puts it; everything behind that is what serves.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bans import wiring
from django.core.management.base import CommandError
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

READY_SECONDS = 10

type Ask = Callable[[str, str, Mapping[str, str]], tuple[int, dict[str, str]]]


def asker() -> Ask:
    """Return what answers path, peer and headers with a status and headers, once this process has the list.

    Raises:
        CommandError: it has none after ten seconds.
    """
    wiring.follower().start()
    if not wiring.follower().ready.wait(READY_SECONDS):
        raise CommandError("this process has no list yet")
    application = get_wsgi_application()

    def ask(path: str, peer: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str]]:
        said: list[Any] = []

        def start_response(*answer: Any) -> Any:
            said[:] = answer[:2]

        environ = RequestFactory(headers={**headers, "host": "localhost"}).get(path).environ
        application(environ | {"REMOTE_ADDR": peer}, start_response).close()
        status, found = said
        return int(status.partition(" ")[0]), dict(found)

    return ask
