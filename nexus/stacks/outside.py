"""Folders outside of every home, for what root starts as `nobody`; each says whose it is.

`<base>/<digest>/` belongs to the path in `<base>/<digest>.owner`. Who uses one holds a lock on that note; one
whose owner is gone is removed when the next is made.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BASE = Path("/var/lib/nexus")
OPEN = 0o755  # for `nobody` to pass through


@contextmanager
def taken(owner: Path) -> Iterator[Path]:
    """Make the folder that `owner` has outside, if it has none yet, and use it during the block.

    Returns:
        A path called like `owner`, in a folder of its own; it may not exist yet.
    """
    # What it has outside is there for as long as this is.
    owner.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time():
        for note in _notes():
            if _is_gone(note):
                _remove(note)
        note = _note(owner)
        # The note first: a folder without one would stay for ever.
        note.write_text(f"{owner.resolve()}\n", encoding="utf-8")
        folder = note.with_suffix("")
        folder.mkdir(exist_ok=True)
        folder.chmod(OPEN)
        lock = note.open(encoding="utf-8")
        fcntl.flock(lock, fcntl.LOCK_SH)
    with lock:
        yield folder / owner.name


def remove_below(folder: Path) -> None:
    """Remove what belongs to `folder` and to everything in it, unless it is in use."""
    if not os.access(BASE, os.W_OK):  # only root has folders there
        return
    with _one_at_a_time():
        for note in _notes():
            owner = _owner(note)
            if owner and owner.is_relative_to(folder.resolve()):
                _remove(note)


def _note(owner: Path) -> Path:
    digest = hashlib.sha256(str(owner.resolve()).encode()).hexdigest()[:16]
    return BASE / f"{digest}.owner"


def _notes() -> list[Path]:
    return sorted(BASE.glob("*.owner"))


def _owner(note: Path) -> Path | None:
    """Return whose folder this is; None if that cannot be read."""
    try:
        owner = Path(note.read_text(encoding="utf-8").removesuffix("\n"))
    except (OSError, UnicodeDecodeError):
        return None
    return owner if owner.is_absolute() else None


def _is_gone(note: Path) -> bool:
    owner = _owner(note)
    try:
        if owner:
            owner.stat()
    except FileNotFoundError:
        return True
    except OSError:  # nobody can tell
        return False
    return False


def _remove(note: Path) -> None:
    with note.open(encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        folder = note.with_suffix("")
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            note.unlink()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    BASE.mkdir(parents=True, exist_ok=True)
    BASE.chmod(OPEN)  # whatever the umask was when it was made
    with (BASE / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
