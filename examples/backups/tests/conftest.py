"""The real PostgreSQL at DATABASE_URL, and a folder in which its programs may write."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

if not os.environ.get("DATABASE_URL"):
    raise pytest.UsageError("the tests need a PostgreSQL server: set DATABASE_URL")
# Before Django is set up, since the settings read the environment when they are imported.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", uuid.uuid4().hex * 2)

import django

django.setup()  # pytest-django looks for settings before this file has named them

from django.conf import settings  # noqa: E402
from flights.configured import place as place_of  # noqa: E402
from keep import base, log  # noqa: E402
from keep.place import Place  # noqa: E402

EXAMPLE = Path(__file__).parent.parent
PATIENCE_SECONDS = 60


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def command(*words: object, before: str = "") -> subprocess.Popen[str]:
    """Start a command of manage.py, in a session of its own; `before` is Python that runs first."""
    code = f"{before}\nimport runpy; runpy.run_path('manage.py', run_name='__main__')"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
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


@pytest.fixture(scope="session")
def received() -> Iterator[Place]:
    """The place of the solution, with a table, a base backup, and the log since then until the tests' end."""
    found = place_of("received")
    everything = Place(Path(settings.POSTGRES_FOLDER), found.programs, found.server)
    everything.run("mkdir", "-p", found.folder)
    found.sql("CREATE TABLE IF NOT EXISTS written AS SELECT generate_series(1, 1000) AS id")
    log.reserve(found)
    with receiving(found):
        base.take(found)
        yield found
    found.sql("SELECT pg_drop_replication_slot(%s)", log.NAME)
    everything.run("rm", "-r", found.folder)
