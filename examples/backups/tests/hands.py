"""What the tests do to a server and to commands: receive its log, start them, wait."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from keep import log
from keep.place import Place, Server
from restore.server import refusal

EXAMPLE = Path(__file__).parent.parent
PATIENCE_SECONDS = 60


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def answers(server: Server) -> bool:
    return not refusal(server)


def command(*words: object) -> subprocess.Popen[str]:
    """Start a command of manage.py, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, words)],
        cwd=EXAMPLE,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def receiving(place: Place) -> Iterator[None]:
    """Receive the log of the server until the end of the block."""
    receiver = place.start(place.folder / "receiver.txt", *log.receiver(place))
    try:
        wait_until(lambda: log.is_received(place))
        yield
    finally:
        receiver.terminate()
        receiver.wait()
