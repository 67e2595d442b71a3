"""A base backup and the log since then, replayed up to a moment.

https://www.postgresql.org/docs/current/continuous-archiving.html
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keep.locked import locked
from keep.place import Place, Server

from .server import served

# Those of an earlier restore, or of a replica that lags on purpose, may stand in the settings.
AS_ASKED = [
    *[f"recovery_target{kind}=" for kind in ("", "_name", "_time", "_lsn", "_xid")],
    "recovery_target_timeline=latest",
    "recovery_target_inclusive=on",
    "recovery_target_action=promote",
    "recovery_min_apply_delay=0",
]
POINT = "night-"  # how the named moments begin; any other is a time


@contextmanager
def replayed(
    place: Place, base: Path, log: Path, folder: Path, until: str = ""
) -> Iterator[Server]:
    """Make `folder` a server from `base` and `log`, and yield its address.

    Args:
        until: a time with its zone, or a named moment; empty is all that there is.

    Raises:
        Failed: of another version, no room, or a log that ends before the moment.
    """
    # The file that was being received has another name. `cp` of one that is not there is how the log ends.
    command = f'cp "{log}/%f" "%p" || cp "{log}/%f.partial" "%p"'
    settings = [f"restore_command={command}", *AS_ASKED]
    if until:
        kind = "name" if until.startswith(POINT) else "time"
        settings.append(f"recovery_target_{kind}={until}")
    with locked(base, fcntl.LOCK_SH, f"{base} is being removed"):
        place.run("cp", "-aT", base, folder)
        place.run("chmod", "700", folder)  # whatever the storage of the backups made of it
        place.run("rm", "-f", folder / "standby.signal")  # of a base that was taken of a replica
        # Debian has the configuration elsewhere: then the server's defaults do.
        place.run("touch", folder / "recovery.signal", folder / "postgresql.conf")
        with served(place, folder, *settings) as server:
            yield server
