"""Keep secrets out of error reports and logs by their values.

Django masks a setting by its name (``KEY``, ``PASS``, …): DATABASE_URL has none of these words in it, and a
local variable is shown whatever it holds. https://docs.djangoproject.com/en/6.1/howto/error-reporting/
"""

import html
import logging
import re
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings
from django.template.defaultfilters import pprint
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

SHORTEST = 4  # characters; a shorter one would be found in every second word
STARS = "*" * 20


def parts(secret: str) -> Iterator[str]:
    """Yield what must not be read: the secret, and of an address its password, alone and as HTTP sends it."""
    yield secret
    try:
        url = urlsplit(secret)
        user, password = unquote(url.username or ""), unquote(url.password or "")
    except ValueError:  # no address
        return
    yield password
    yield b64encode(f"{user}:{password}".encode()).decode()


def spelled(character: str) -> str:
    """Return a pattern for one character: as it is, for HTML, for a URL, after backslashes of any quoting."""
    if character.isalnum():
        return character
    ways = {re.escape(way) for way in (character, html.escape(character))}
    # From the first backslash or none: to begin at each of many would take the square of their number.
    return rf"(?:(?<!\\)\\*)?(?:{'|'.join(sorted(ways))}|(?i:{quote(character, safe='')}))"


@cache
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str]:
    found = {part for secret in secrets for part in parts(secret) if len(part) >= SHORTEST}
    longest_first = sorted(found, key=len, reverse=True)
    return re.compile("|".join("".join(map(spelled, part)) for part in longest_first) or "(?!)")


def hidden(text: str) -> str:
    """Return `text` with stars in the place of each secret of the settings."""
    return _pattern(tuple(getattr(settings, "SECRET_VALUES", ()))).sub(STARS, text)


class Shown:
    """A local variable as a report may show it: hidden before Django cuts it after 4,096 characters."""

    def __init__(self, value: object) -> None:
        self.text = hidden(pprint(value))

    def __repr__(self) -> str:
        return self.text


class Reporter(ExceptionReporter):
    """Django's report of an error, mail and page, without any secret."""

    def get_traceback_frames(self) -> list[dict[str, Any]]:
        frames: list[dict[str, Any]] = super().get_traceback_frames()
        for frame in frames:
            if "vars" in frame:
                frame["vars"] = [(name, Shown(value)) for name, value in frame["vars"]]
        return frames

    def get_traceback_html(self) -> SafeString:
        return SafeString(hidden(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(hidden(super().get_traceback_text()))


class Filter(logging.Filter):
    """Hide secrets in the message, of which the subject of an error mail is made, and in the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hidden(record.getMessage()), ()
        if record.exc_info:
            # A formatter takes this text for one that it has made before.
            record.exc_text = hidden(logging.Formatter().formatException(record.exc_info))
        return True
