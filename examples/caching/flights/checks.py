"""System checks: a mistake in the settings is one sentence at start-up, not a traceback later."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

SETTINGS = "settings"
LEAST = {"LOCAL_LAYER_BYTES": 0, "COMPUTATIONS_PER_PROCESS": 1}
SCHEMES = {"REDIS_URL": ("redis://",), "CDN_PURGE_URL": ("http://",)}


def number(name: str) -> int:
    """Return a setting that somebody may have typed.

    Raises:
        ValueError: it is no number, or too small a one; the message is for whoever typed it.
    """
    text, least = str(getattr(settings, name)), LEAST[name]
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise ValueError(f"{name} is {text!r}, not a whole number of at least {least}")
    return int(text)


@register(SETTINGS)
def numbers_are_numbers(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name in LEAST:
        try:
            number(name)
        except ValueError as error:
            found.append(Error(str(error), id="flights.E001"))
    return found


@register(SETTINGS)
def addresses_are_addresses(**_: Any) -> list[CheckMessage]:
    """The tracking connection is plain TCP: another one would leave the local layer empty for ever."""
    return [
        Error(f"{name} does not begin with {schemes[0]}", id="flights.E002")
        for name, schemes in SCHEMES.items()
        if (given := getattr(settings, name)) and not given.startswith(schemes)
    ]
