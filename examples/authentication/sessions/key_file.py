"""The file that keys are in: read again when it changes, written all at once."""

import json
import logging
import os
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from .keys import STATES, Key, Keys

logger = logging.getLogger(__name__)


def parse(text: str) -> Keys:
    """Read the text of a key file.

    Raises:
        ValueError: what is wrong with it, in words.
    """
    try:
        keys = [Key(**each) for each in json.loads(text)]
        for key in keys:
            _ = key.private
    except (ValueError, TypeError, NotBase64):  # the error would quote the file, and so a key
        raise ValueError("it is no list of keys with kid, state, since and seed") from None
    if unknown := {key.state for key in keys} - set(STATES):
        raise ValueError(f"{unknown.pop()!r} is no state; there are {', '.join(STATES)}")
    return Keys(keys)


class KeyFile:
    """The keys of a file, read again when it changes; of one that got broken the last good keys are used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._keys: Keys | None = None

    def keys(self) -> Keys:
        """Return the keys as the file has them now.

        Raises:
            ValueError: there never was a good one.
        """
        try:
            stat = self.path.stat()
            if (seen := (stat.st_mtime_ns, stat.st_ino)) != self._seen:
                if stat.st_mode & 0o077:
                    raise ValueError("others than its owner may read it; chmod 600")
                self._keys, self._seen = parse(self.path.read_text(encoding="utf-8")), seen
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            if self._keys is None:
                raise ValueError(f"{self.path}: {reason}") from None
            logger.error("%s: %s; the keys of before are used", self.path, reason)
        assert self._keys is not None  # noqa: S101 -- read now, or before
        return self._keys

    def write(self, change: Callable[[], Keys]) -> Keys:
        """Put other keys into the file, all at once."""
        keys = change()
        beside = self.path.with_suffix(f".{os.getpid()}")
        beside.touch(mode=0o600)
        beside.write_text(json.dumps([asdict(key) for key in keys.all], indent=1), encoding="utf-8")
        beside.replace(self.path)
        return keys
