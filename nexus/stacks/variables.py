"""Which variables of the shell the programs of a stack see."""

import os

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "TZ")
# What a user may set for the example on the command line: `STAFF_TOKEN=… make run EXAMPLE=…`
OVERRIDES = (
    "SECRET_KEY",
    "STAFF_TOKEN",
    "TRUSTED_PROXIES",
    "ALLOWED_HOSTS",
    "WEB_CONCURRENCY",
    "DEBUG",
)


def passed_on() -> dict[str, str]:
    """What a program needs of the shell's variables to run at all."""
    return _present(PASSED_ON)


def overrides() -> dict[str, str]:
    """What the user has set for the example."""
    return _present(OVERRIDES)


def _present(names: tuple[str, ...]) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}
