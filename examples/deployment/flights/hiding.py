"""Keep secrets out of error reports and logs by their values.

Django masks a setting by its name (``KEY``, ``PASS``, …): DATABASE_URL has none of these words in it, and a
local variable is shown whatever it holds. https://docs.djangoproject.com/en/6.1/howto/error-reporting/
"""

import html
import logging
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.template.defaultfilters import pprint
from django.views.debug import ExceptionReporter

SHORTEST = 4  # characters; a shorter one would be found in every second word
STARS = "*" * 20


def forms(secret: str) -> Iterator[str]:
    """Yield each way in which a report may write a secret: whole, its password, quoted, as Python or HTML."""
    try:
        password = urlsplit(secret).password or ""
    except ValueError:  # not an address
        password = ""
    for text in (secret, password, unquote(password)):
        for written in (text, repr(text)[1:-1]):
            yield from (written, html.escape(written))


@cache
def _forms(secrets: tuple[str, ...]) -> list[str]:
    found = {form for secret in secrets for form in forms(secret) if len(form) >= SHORTEST}
    return sorted(found, key=len, reverse=True)  # the whole before its part


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Return *text* with stars in the place of each of *secrets*."""
    for form in _forms(tuple(secrets)):
        text = text.replace(form, STARS)
    return text


class Shown:
    """A local variable as a report may show it: hidden before Django cuts it after 4,096 characters."""

    def __init__(self, value: object) -> None:
        self.text = hidden(pprint(value), settings.SECRET_VALUES)

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

    def get_traceback_html(self) -> str:
        return hidden(super().get_traceback_html(), settings.SECRET_VALUES)

    def get_traceback_text(self) -> str:
        return hidden(super().get_traceback_text(), settings.SECRET_VALUES)


class Filter(logging.Filter):
    """Hide secrets in the message itself: the subject of an error mail is made of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hidden(record.getMessage(), settings.SECRET_VALUES), ()
        return True


class Formatter(logging.Formatter):
    """Hide secrets in whatever a line of the log shows, the traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        return hidden(super().format(record), settings.SECRET_VALUES)
