"""The write-ahead log, received while it is written: no commit is acknowledged before it is here.

https://www.postgresql.org/docs/current/app-pgreceivewal.html
"""

import re
from pathlib import Path

from .place import Failed, Place

NAME = "keeper"  # of the slot, and of the receiver as synchronous_standby_names has it
SEGMENT = re.compile(r"[0-9A-F]{24}(\.partial)?")
# A full disk leaves a file of another size, which the receiver refuses; the server has all of it.
ASIDE = """
size=$(psql -XAtc "SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'") || exit
for file in "$0"/*.partial; do
    case $(stat -c %s "$file" || echo 0) in 0 | "$size") ;; *) mv "$file" "$file.odd" ;; esac
done
exec "$@"
"""
STATE = "SELECT sync_state, flush_lsn >= %s::pg_lsn FROM pg_stat_replication WHERE application_name = %s"


def folder(place: Place) -> Path:
    return place.folder / "log"


def reserve(place: Place) -> None:
    """Have the server keep its log until it is here, from now on."""
    place.run("mkdir", "-p", folder(place))
    place.sql("SELECT pg_create_physical_replication_slot(%s, true)", NAME)


def receiver(place: Place) -> tuple[object, ...]:
    """Return the command that receives the log until its connection ends."""
    how = "--slot", NAME, "--synchronous", "--no-loop"
    receive = "pg_receivewal", "-d", f"application_name={NAME}", "-D", folder(place), *how
    return "sh", "-c", ASIDE, folder(place), *receive


def demand(place: Place) -> None:
    """Let no commit be acknowledged that is not received."""
    place.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
    place.sql("SELECT pg_reload_conf()")


def is_received(place: Place, position: str = "0/0") -> bool:
    """Whether the receiver has written the log up to `position` to its disk."""
    return (True,) in [row[1:] for row in place.sql(STATE, position, NAME)]


def is_demanded(place: Place) -> bool:
    """Whether commits wait for the receiver now."""
    return ("sync",) in [row[:1] for row in place.sql(STATE, "0/0", NAME)]


def require_whole(log: Path, first: str) -> None:
    """Check that no file is missing from `first` to the newest.

    Without a target, a server takes a gap for the end of the log, and starts without what lies behind it.

    Raises:
        Failed: names the first that is missing.
    """
    paths = [path for path in log.iterdir() if SEGMENT.fullmatch(path.name)]
    here = {path.name[8:24] for path in paths}
    each_log = 2**32 // max([2**20, *(path.stat().st_size for path in paths)])
    due = first[8:24]
    newest = max(here | {due})
    while due <= newest:
        if due not in here:
            raise Failed(f"the log has a gap: {first[:8]}{due} is missing")
        number = int(due[:8], 16) * each_log + int(due[8:], 16) + 1
        due = f"{number // each_log:08X}{number % each_log:08X}"
