"""The file that keys are in: read again when it changes, written all at once."""

import json
import logging
import os
from binascii import Error as NotBase64
from dataclasses import asdict
from pathlib import Path
from threading import Lock

from .keys import STATES, Key, Keys

logger = logging.getLogger(__name__)


def parse(text: str) -> Keys:
    """Read the text of a key file; a ValueError says in words what is wrong with it."""
    try:
        keys = [Key(**each) for each in json.loads(text)]
        for key in keys:
            _ = key.private, key.since + 0.0, key.kid + key.state
    except (ValueError, TypeError, NotBase64):  # the error would quote the file, and so a key
        raise ValueError("it is no list of keys with kid, state, since and seed") from None
    if unknown := {key.state for key in keys} - set(STATES):
        raise ValueError(f"{unknown.pop()!r} is no state; there are {', '.join(STATES)}")
    return Keys(keys)


class NoKeys(ValueError):
    """There is no good key file, and there never was one."""


class KeyFile:
    """The keys of a file, read again when it changes; of one that got broken the last good keys are used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = Lock()  # one thread reads a change, and tells what is wrong with it
        self._seen: tuple[int, ...] | None = None
        self._keys: Keys | None = None
        self._fault = ""

    def keys(self) -> Keys:
        """Return the keys as the file has them now.

        Raises:
            NoKeys: there never was a good one.
        """
        with self._turn:
            if (seen := self._look()) != self._seen:
                self._read(seen)
            if self._keys is None:
                raise NoKeys(f"{self.path}: {self._fault}")
            return self._keys

    def _look(self) -> tuple[int, ...]:
        """Tell the file from what it was; `chmod` changes no mtime."""
        try:
            stat = self.path.stat()
        except OSError:
            return ()
        return stat.st_ctime_ns, stat.st_ino, stat.st_size

    def _read(self, seen: tuple[int, ...]) -> None:
        fault = ""
        try:
            if self.path.stat().st_mode & 0o077:
                raise ValueError("others than its owner may read it; chmod 600")
            self._keys = parse(self.path.read_text(encoding="utf-8"))
        except OSError as error:  # it may pass without a change of the file
            fault, seen = str(error.strerror), ()
        except ValueError as error:
            fault = str(error)
        if fault and self._keys is not None and (seen, fault) != (self._seen, self._fault):
            logger.error("%s: %s; the keys of before are used", self.path, fault)
        self._seen, self._fault = seen, fault

    def write(self, keys: Keys) -> None:
        """Put other keys into the file, all at once."""
        beside = self.path.with_suffix(f".{os.getpid()}")
        beside.touch(mode=0o600)
        beside.write_text(json.dumps([asdict(key) for key in keys.all], indent=1), encoding="utf-8")
        beside.replace(self.path)
