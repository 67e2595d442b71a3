"""What of the user's shell the harness must not heed: it would reach its own clients and files."""

import os
from collections.abc import MutableMapping

LOOPBACK = ("127.0.0.1", "localhost", "::1")
FILE_MODES = 0o022  # what is secret says so itself; programs that run as `nobody` read the rest


def neutralise(environ: MutableMapping[str, str]) -> None:
    """Keep loopback off every proxy, and the defaults of libpq as they are documented."""
    spared = [
        name.strip()
        for variable in ("no_proxy", "NO_PROXY")
        for name in environ.get(variable, "").split(",")
        if name.strip()
    ]
    # Some clients read the one, some the other, and some the first that there is.
    for variable in ("no_proxy", "NO_PROXY"):
        environ[variable] = ",".join(dict.fromkeys([*spared, *LOOPBACK]))
    for name in [
        name for name in environ if name.startswith("PG")
    ]:  # PGSSLMODE, PGPASSFILE, PGHOST
        del environ[name]


def settle() -> None:
    """Do so for this process and whatever it starts."""
    neutralise(os.environ)
    os.umask(FILE_MODES)
