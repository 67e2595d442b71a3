"""What is done for a way of keeping: it is put in force, and each night it keeps and checks.

Which one is in force stands in a file; so does whose programs the keeper runs, for whoever waits for it.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from keep.log import NAME
from keep.place import Place, wait_for

from .configured import place as place_of
from .variants import BY_NAME

PATIENCE_SECONDS = 60
# Of a way that was in force before; of a slot that nobody reads, the server keeps the log for ever.
SETTLE = (
    "ALTER SYSTEM RESET synchronous_standby_names",
    "ALTER SYSTEM SET archive_command = 'true'",
    "SELECT pg_reload_conf()",
)
DROP = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s"


@contextmanager
def alone() -> Iterator[None]:
    """Let nobody else begin, keep or check meanwhile."""
    with (settings.POSTGRES_FOLDER / "errand.lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def begin(name: str) -> str:
    """Put a way in force, with an empty place; return once its programs do their work.

    What it has kept until now is moved aside.

    Raises:
        Failed: the keeper does not run, or they do not.
    """
    way, place = BY_NAME[name].way, place_of(name)
    put_in_force("")
    everything = Place(settings.POSTGRES_FOLDER, place.programs, place.server)
    for statement in SETTLE:
        place.sql(statement)
    place.sql(DROP, NAME)
    if place.folder.exists():
        everything.run("mv", place.folder, f"{place.folder}.until.{time.time():.0f}")
    everything.run("mkdir", place.folder)
    way.begin(place)
    put_in_force(name)
    wait_until_ready(name)
    return f"{name} is in force, in {place.folder}"


def kept(name: str) -> str:
    """Do what the way does each night, once its programs do their work.

    Raises:
        Failed: it is not kept.
    """
    wait_until_ready(name)
    BY_NAME[name].way.keep(place_of(name))
    return "kept"


def checked(name: str) -> str:
    """Return what the way says about its backups in the same night.

    Raises:
        Failed: they are not good.
    """
    return BY_NAME[name].way.check(place_of(name))


def wait_until_ready(name: str) -> None:
    way, place = BY_NAME[name].way, place_of(name)
    missing = f"{name} is not ready, see {place.folder}.log,"
    wait_for(lambda: way.ready(place), PATIENCE_SECONDS, missing)


def put_in_force(name: str) -> None:
    """Tell the keeper, and wait until it runs the programs of `name` and no others."""
    note("wanted", name)
    wait_for(lambda: read("running") == name, PATIENCE_SECONDS, "the keeper does not run")


def note(name: str, text: str) -> None:
    """Write a file in one step."""
    new = settings.POSTGRES_FOLDER / f"{name}.new"
    new.write_text(text, encoding="utf-8")
    new.replace(settings.POSTGRES_FOLDER / name)


def read(name: str) -> str | None:
    path = settings.POSTGRES_FOLDER / name
    return path.read_text(encoding="utf-8") if path.exists() else None
