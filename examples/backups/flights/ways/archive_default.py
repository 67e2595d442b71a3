"""A base backup and `archive_command`, as the manual has it: a file of the log is kept once it is full.

https://www.postgresql.org/docs/current/continuous-archiving.html
"""

import time

from keep.base import take
from keep.place import Failed, Place

from . import at_once, no_programs, replayed_base

DAY_SECONDS = 86_400
processes, ready, keep, restored = no_programs, at_once, take, replayed_base


def begin(place: Place) -> None:
    log = place.folder / "log"
    place.run("mkdir", log)
    command = f'test ! -f "{log}/%f" && cp %p "{log}/%f"'
    place.sql(f"ALTER SYSTEM SET archive_command = '{command}'")
    place.sql("SELECT pg_reload_conf()")


def check(place: Place) -> str:
    """Look how old the newest file is."""
    day = time.time() - DAY_SECONDS
    if not any(path.stat().st_mtime > day for path in place.folder.glob("*/*")):
        raise Failed("the newest file is not of the last day")
    return "the newest file is of the last day"
