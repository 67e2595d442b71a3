"""Which variables of the shell the programs of a stack see: their environment is their own."""

import os

PASSED_ON = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "TZ")
# Text is UTF-8 everywhere, whatever the terminal speaks.
OWN = {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
# What Docker's client needs to find its engine; COMPOSE_… and what a compose file asks for stay out, since
# Compose prefers the shell's variables to those of the file that it is given.
DOCKERS = ("PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
DOCKERS_OWN = ("DOCKER_", "BUILDKIT_", "BUILDX_")
PROCESS = "NEXUS_PROCESS"  # which process of the Procfile a program is: `web.1`
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
    """What a program needs to run at all."""
    return _present(PASSED_ON) | OWN


def overrides() -> dict[str, str]:
    """What the user has set for the example."""
    return _present(OVERRIDES)


def of_docker() -> dict[str, str]:
    """What Docker's client is told."""
    named = {name: value for name, value in os.environ.items() if name.startswith(DOCKERS_OWN)}
    return named | _present(DOCKERS)


def _present(names: tuple[str, ...]) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}
