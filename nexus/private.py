"""Folders and files of their owner alone, whatever the umask says."""

import os
import stat
import threading
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def make_folder(path: Path) -> Path:
    """Make `path`, or close one that is open to others; return it.

    Raises:
        PermissionError: it is a link, or somebody else's.
    """
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(
            f"{path} is not a folder of yours: remove it, or run as the user whose it is."
        )
    if stat.S_IMODE(found.st_mode) != FOLDER_MODE:
        path.chmod(FOLDER_MODE)
    return path


def write(path: Path, text: str) -> None:
    """Write `text` in one step, so that a reader never sees half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
        file.write(text.encode())
    draft.replace(path)
