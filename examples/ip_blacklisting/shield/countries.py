"""Which country an address is registered in, from any MaxMind DB file; unknown is an answer, too.

https://maxmind.github.io/MaxMind-DB/
"""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb

from shield.addresses import Address, Network
from shield.scores import neighbours

KEPT = 65_536  # networks whose country is remembered, those without one too

logger = logging.getLogger(__name__)


class Countries:
    """Reads a file that is mapped into memory; without one, every country is unknown.

    A lookup walks a tree in memory and takes microseconds, so a cache in Redis would make it slower:
    that pays only for services that are asked over the network.
    """

    def __init__(self, path: Path | None) -> None:
        self._reader: Any = None
        if path is not None:
            try:
                self._reader = maxminddb.open_database(path, maxminddb.MODE_MMAP)
            except Exception as error:  # of a damaged file the library raises whatever it runs into
                logger.error("countries are unknown: %s", error)
        self._of_network = lru_cache(maxsize=KEPT)(self._read)

    def of(self, address: Address) -> str | None:
        """Return the ISO 3166 code of a /24, or a /48 of IPv6; None if it is unknown."""
        if self._reader is None:
            return None
        return self._of_network(neighbours(Network(*address, 32 if address.version == 4 else 128)))

    def _read(self, network: Network) -> str | None:
        try:
            record = self._reader.get(str(Address(network.version, network.value)))
            code = record["country"]["iso_code"]
        except Exception:  # see above
            return None
        return code if isinstance(code, str) else None

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
