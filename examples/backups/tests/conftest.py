"""The real PostgreSQL at DATABASE_URL, and a folder in which its programs may write."""

import os
import uuid
from collections.abc import Iterator

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
from hands import receiving  # noqa: E402
from keep import base, log  # noqa: E402
from keep.place import Place  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the backups: each would have the database of Django's tests in it, too."""
    items.sort(key=lambda item: item.path.name == "test_api.py")


@pytest.fixture(scope="session")
def received() -> Iterator[Place]:
    """The place of the solution, with a table, a base backup, and the log since then until the tests' end."""
    found = place_of("received")
    everything = Place(settings.POSTGRES_FOLDER, found.programs, found.server)
    everything.run("mkdir", "-p", found.folder)
    found.sql("CREATE TABLE IF NOT EXISTS written AS SELECT generate_series(1, 1000) AS id")
    log.reserve(found)
    with receiving(found):
        base.take(found)
        yield found
        # Before the receiver ends: other tests' commits would wait for it.
        found.sql("ALTER SYSTEM RESET synchronous_standby_names")
        found.sql("SELECT pg_reload_conf()")
    found.sql("SELECT pg_drop_replication_slot(%s)", log.NAME)
    everything.run("rm", "-r", found.folder)
