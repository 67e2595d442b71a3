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
    settings = [f"restore_command={command}", "recovery_target_action=promote"]
    if until:
        kind = "name" if until.startswith(POINT) else "time"
        settings.append(f"recovery_target_{kind}={until}")
    with locked(base, fcntl.LOCK_SH, f"{base} is being removed"):
        place.run("cp", "-aT", base, folder)
        place.run("chmod", "700", folder)  # whatever the storage of the backups made of it
        place.run("rm", "-f", folder / "standby.signal")  # of a base that was taken of a replica
        place.run("touch", folder / "recovery.signal")
        with served(place, folder, *settings) as server:
            yield server
