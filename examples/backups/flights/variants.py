"""The ways, by name: what is set up first, what is commonly installed, and the solution last."""

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from django.conf import settings

from .ways import Way, archive_default, nightly_dump, received, replica, volume_copy


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to keep the bookings."""

    name: str
    about: str
    way: Way


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "nightly_dump", "pg_dump through gzip each night, judged by its exit status", nightly_dump
    ),
    Variant("volume_copy", "cp of the data folder of the running server", volume_copy),
    Variant(
        "archive_default", "a base backup and archive_command, with its defaults", archive_default
    ),
    Variant("replica", "a hot standby, and nothing else", replica),
    Variant("received", "base backups, the log received at once, restored each night", received),
)
if settings.MINE:
    own = cast("Way", import_module(settings.MINE))
    VARIANTS = (*VARIANTS[:-1], Variant("mine", "your own", own), VARIANTS[-1])
BY_NAME = {each.name: each for each in VARIANTS}
SOLUTION = VARIANTS[-1].name
