"""What a release has to show before a client reaches it: it answers, its checks pass, its pages do."""

import http.client
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SMOKE_SECONDS = 15  # for one page: its first request loads what the next ones find
HEALTH = "/healthz"
type Sleep = Callable[[float], None]


class Refused(Exception):
    """Nothing was changed: the message says why, in one sentence without its full stop."""


def get(
    port: int, path: str, timeout_seconds: float = 5, host: str = "localhost"
) -> tuple[int, str]:
    """Return the status and the release that answers; 0 and nothing if none does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
    return answer.status, answer.getheader("X-Release", "")


def wait(done: Callable[[], bool], seconds: float, sleep: Sleep = time.sleep) -> bool:
    """Return once it is done, or the time is over: then False."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        sleep(0.02)
    return True


@dataclass(frozen=True)
class Gate:
    """Asks a release that no client reaches yet.

    Attributes:
        smoke: paths that have to answer 200, each of them.
        checks: each returns what is wrong, or nothing.
        ready_seconds: within which it has to be ready: then `HEALTH` answers 200.
        host: that clients ask for, and so the smoke requests.
    """

    smoke: Sequence[str] = ()
    checks: Sequence[Callable[[], str]] = ()
    ready_seconds: float = 30
    host: str = "localhost"

    def pass_(self, number: int, port: int, ended: Callable[[], str]) -> None:
        """Return once everything is as it has to be; `ended` says why the process does not run.

        Raises:
            Refused: something is not.
        """
        self.await_ready(number, port, ended)
        for check in self.checks:
            if fault := check():
                raise Refused(fault)
        asked = {path: get(port, path, SMOKE_SECONDS, self.host)[0] for path in self.smoke}
        if failed := [f"{path} ({status})" for path, status in asked.items() if status != 200]:
            raise Refused(f"{len(failed)} of {len(asked)} smoke requests failed, as {failed[0]}")

    def await_ready(self, number: int, port: int, ended: Callable[[], str]) -> None:
        def ready() -> bool:
            if fault := ended():
                raise Refused(f"it ended before it was ready: {fault}")
            # Of the release itself: an older one on the same port would answer, too.
            return get(port, HEALTH) == (200, str(number))

        if not wait(ready, self.ready_seconds):
            raise Refused(f"it was not ready within {self.ready_seconds:.0f} s")
