"""The country of a client, looked up in this process: a file in the MaxMind DB format, version 2.0."""

import re
from functools import cache
from itertools import islice
from typing import Any

import maxminddb
from django.conf import settings

LOOKED_AT = 1_000  # networks, before the start
# Codes of ISO 3166 that are reserved for regions, or are anybody's own: files write them for unknown.
NO_COUNTRIES = ("AP", "EU", "XX", "ZZ")


@cache
def opened() -> maxminddb.Reader:
    """Open the file of the settings, once."""
    # Not mapped: who writes into the file would end this process. And read in Python: some broken
    # records end it in the extension (3.2.0).
    return maxminddb.open_database(settings.COUNTRIES, maxminddb.MODE_MEMORY)


def check() -> None:
    """Raise what is wrong with the file; ValueError if its first networks have no country."""
    if not any(code(record) for _, record in islice(opened(), LOOKED_AT)):
        raise ValueError(f"{opened().metadata().database_type} has no country.iso_code")


def country(client: str) -> str:
    """Return the ISO 3166 code of a client's country; empty for what the file does not know."""
    reader = opened()
    try:
        return code(reader.get(client.partition("/")[0]))
    except Exception:  # a broken record; or an address of IPv6, and a file for IPv4 alone
        return ""


def code(record: Any) -> str:
    """Return the code that a record says; empty if it is of no country."""
    try:
        said = str(record["country"]["iso_code"])  # not where the network is registered
    except (KeyError, TypeError):  # no record, a continent alone, another shape
        return ""
    return said if re.fullmatch("[A-Z]{2}", said) and said not in NO_COUNTRIES else ""
