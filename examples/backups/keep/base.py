"""Base backups: each in a folder of its own, which bears its name only once it is whole.

https://www.postgresql.org/docs/current/app-pgbasebackup.html
"""

import fcntl
import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from .locked import Busy, locked
from .place import Failed, Place

UNFINISHED = ".unfinished"
START = re.compile(r"^START WAL LOCATION: (\w+)/(\w+) \(file (\w+)\)", re.MULTILINE)
WHEN = "%Y-%m-%dT%H%M%S.%f"  # it was whole, in UTC


def take(place: Place) -> Path:
    """Copy the server's data by the replication protocol, with the log that makes the copy whole.

    Raises:
        Failed: it was cut off, or there is no room.
    """
    if place.sql("SELECT 1 FROM pg_tablespace WHERE spcname !~ '^pg_'"):
        raise Failed("there are tablespaces: a copy of a base would write into theirs")
    folder = place.folder / "bases"
    draft = folder / f"base{UNFINISHED}"
    place.run("mkdir", "-p", folder)
    place.run("rm", "-rf", draft)  # of one that was interrupted
    place.run("pg_basebackup", "--pgdata", draft, "--checkpoint=fast")
    [[now]] = place.sql("SELECT clock_timestamp()")  # of the clock that moments are named by
    base = folder / f"{now.astimezone(UTC):{WHEN}}"
    place.run("mv", "-T", draft, base)
    return base


def bases(place: Place) -> list[Path]:
    """Return those that are whole, in the order of the log; a clock may go back.

    Raises:
        Failed: there is none.
    """
    found = sorted((place.folder / "bases").glob("*[0-9]"), key=lambda base: start(base)[0])
    if not found:
        raise Failed(f"{place.folder} holds no base backup")
    return found


def newest(place: Place, until: str = "") -> Path:
    """Return the newest that was whole by the time `until`, which names its zone; any time if it is empty.

    Raises:
        Failed: there is none, or it is no such time.
    """
    try:
        moment = datetime.fromisoformat(until or "9999-12-31T00:00Z")
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Failed(f"{until} is no time with its zone, like 2026-11-29T02:59:00+00:00")
    older = [base for base in bases(place) if base.name <= f"{moment.astimezone(UTC):{WHEN}}"]
    if not older:
        raise Failed(f"no base backup was whole by {until}")
    return older[-1]


def verify(place: Place, base: Path) -> None:
    """Compare each file with the checksum that the server has sent.

    Raises:
        Failed: one differs or is missing.
    """
    place.run("pg_verifybackup", "--quiet", "--exit-on-error", base)


def start(base: Path) -> tuple[int, str]:
    """Return where in the log a restore of `base` begins, and the name of that file; 0 if nobody knows."""
    label = base / "backup_label"
    text = label.read_text(encoding="utf-8", errors="replace") if label.exists() else ""
    found = START.search(text)
    return (int(found[1], 16) << 32 | int(found[2], 16), found[3]) if found else (0, "")


def first_segment(base: Path) -> str:
    """Return the name of the file of the log that a restore of `base` begins with."""
    position, name = start(base)
    if not position:
        raise Failed(f"{base} does not say where its log begins")
    return name


def retire(place: Place, most: int) -> None:
    """Keep the newest `most` base backups, what is being restored, and the log since the oldest of them."""
    for base in bases(place)[:-most]:
        with suppress(Busy), locked(base, fcntl.LOCK_EX, f"{base} is being restored"):
            place.run("rm", "-r", base)
    place.run("pg_archivecleanup", place.folder / "log", first_segment(bases(place)[0]))
