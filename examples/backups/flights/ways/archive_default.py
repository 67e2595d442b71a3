"""A base backup and `archive_command`, as the manual has it: a file of the log is kept once it is full.

https://www.postgresql.org/docs/current/continuous-archiving.html
"""

from keep.base import take
from keep.place import Place

from . import at_once, no_programs, replayed_base

OF_THE_LAST_DAY = 'find "$0" -mindepth 2 -mtime -1 | grep --max-count=1 .'
processes, ready, keep, restored = no_programs, at_once, take, replayed_base


def begin(place: Place) -> None:
    log = place.folder / "log"
    place.run("mkdir", log)
    command = f'test ! -f "{log}/%f" && cp %p "{log}/%f"'
    place.sql(f"ALTER SYSTEM SET archive_command = '{command}'")
    place.sql("SELECT pg_reload_conf()")


def check(place: Place) -> str:
    """Look how old the newest file is."""
    return place.run("sh", "-c", OF_THE_LAST_DAY, place.folder)
