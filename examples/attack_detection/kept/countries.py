"""The country of a client, looked up in this process: a file in the MaxMind DB format, version 2.0."""

import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, cast

import maxminddb
from django.conf import settings


@cache
def opened() -> maxminddb.Reader:
    """Open the file of the settings, once.

    Raises:
        OSError, InvalidDatabaseError: it cannot be read.
    """
    # A copy: the file is mapped into memory, and who writes into it would end this process.
    with Path(settings.COUNTRIES).open("rb") as file, NamedTemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        return maxminddb.open_database(copy.name)


def country(client: str) -> str:
    """Return the ISO 3166 code of a client's country; empty for what the file does not know."""
    reader, record = opened(), cast(Any, None)
    # ValueError: an address of IPv6, and a file for IPv4 alone; the other: this record cannot be read.
    with suppress(ValueError, maxminddb.InvalidDatabaseError):
        record = reader.get(client.partition("/")[0])
    # A record may name a continent alone, and some files write `None` for what they do not know.
    code = ((record or {}).get("country") or {}).get("iso_code") or ""
    return code if len(code) == 2 else ""
