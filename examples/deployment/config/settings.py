"""The settings of the solution: complete or no start, secrets in files, health without the database.

A mistake in a value ends the process with one sentence.
"""

import sys
from contextlib import suppress
from os import environ as env
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

from .common import *  # noqa: F403
from .common import DATABASE_OPTIONS, LOGGING, PAYMENTS

SECRET_VALUES: list[str] = []  # what no report may show


def secret(name: str) -> str:
    """Return what the file at ``<name>_FILE`` holds, or else the variable itself; neither ends the process.

    An environment is shown to every child, and to whoever may read /proc or inspect the container.
    """
    file = env.get(f"{name}_FILE")
    try:
        value = Path(file).read_text(encoding="utf-8-sig") if file else env.get(name, "")
    except (OSError, ValueError) as error:
        sys.exit(f"{name}_FILE: {file} cannot be read: {getattr(error, 'strerror', error)}.")
    if not (value := value.strip()):
        sys.exit(f"{name} is missing: set {name}_FILE to a file with its value.")
    SECRET_VALUES.append(value)
    return value


def database(url: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = {**dj_database_url.parse(url)}
    except ValueError:
        parsed = {}
    if not (parsed.get("ENGINE", "").endswith(".postgresql") and parsed["HOST"] and parsed["NAME"]):
        sys.exit("DATABASE_URL is no address like postgres://user:password@host:5432/name.")
    return parsed | DATABASE_OPTIONS


def provider(url: str) -> str:
    with suppress(ValueError):  # a port that is none: an unquoted password has `/` or `#`
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return url
    sys.exit("PAYMENT_URL is no address like https://user:password@host/path.")


SECRET_KEY = secret("SECRET_KEY")
DATABASES = {"default": database(secret("DATABASE_URL"))}
PAYMENT_URL = provider(secret("PAYMENT_URL")) if PAYMENTS else ""
HEALTH_ASKS_DATABASE = False

DEFAULT_EXCEPTION_REPORTER = "flights.hiding.Reporter"
LOGGING = LOGGING | {
    "filters": {"hiding": {"()": "flights.hiding.Filter"}},
    "handlers": {
        name: handler | {"filters": ["hiding"]} for name, handler in LOGGING["handlers"].items()
    },
}
