"""Where one way keeps its backups, and PostgreSQL's own programs, which do the work there.

https://www.postgresql.org/docs/current/backup.html
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

type Server = Mapping[str, str]  # libpq's names: host, port, user, password, dbname, sslmode
type Rows = list[tuple[Any, ...]]


class Failed(Exception):
    """Something could not be kept or restored; the message is one sentence for whoever operates it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder for backups, and the server that they are taken of.

    Attributes:
        folder: its owner is the user that the programs run as; PostgreSQL refuses to be root.
        programs: the folder of PostgreSQL's programs; empty where they are on the PATH.
    """

    folder: Path
    programs: str
    server: Server

    def run(self, *command: object, server: Server | None = None) -> str:
        """Run a program to its end, and return what it printed; `server` is another one to talk to.

        Raises:
            Failed: it says so, in its own words.
        """
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(word) for word in command],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            restore_signals=False,  # a file that may not grow is an error that is told, and no end
            **self.options(server),
        )
        if done.returncode:
            lines = done.stderr.splitlines()
            said = [line for line in lines if "rror: " in line or "cannot" in line] or lines
            raise Failed(said[0] if said else f"{command[0]} ended with {done.returncode}")
        return done.stdout

    def start(self, log: Path, *command: object) -> subprocess.Popen[bytes]:
        """Start a program that goes on, and have it write to `log`."""
        with log.open("ab") as said:
            return subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                **self.options(),
            )

    def options(self, server: Server | None = None) -> dict[str, Any]:
        """Say as whom a program runs, and which server it talks to: no command line shows a password."""
        path = os.pathsep.join(filter(None, [self.programs, os.environ.get("PATH", os.defpath)]))
        told = {f"PG{name}".upper(): value for name, value in (server or self.server).items()}
        owner = self.folder.stat() if os.geteuid() == 0 else None
        return {
            "env": {"PATH": path, "LC_ALL": "C.UTF-8", "PGDATABASE": told.pop("PGDBNAME"), **told},
            "cwd": "/",
            "user": owner and owner.st_uid,
            "group": owner and owner.st_gid,
            "extra_groups": None if owner is None else [],
        }

    def sql(self, query: str, *args: object) -> Rows:
        """Return the rows that the server answers."""
        return ask(self.server, query, *args)


def wait_for(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Return once `condition` is true.

    Raises:
        Failed: it is not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"{otherwise} after {seconds} s")
        time.sleep(0.05)


def connect(server: Server) -> psycopg.Connection[Any]:
    """Connect; each statement is committed by itself."""
    return psycopg.connect(**server, autocommit=True, connect_timeout=10)  # type: ignore[arg-type]


def ask(server: Server, query: str, *args: object) -> Rows:
    """Return the rows that `server` answers; none for a statement without rows."""
    with connect(server) as connection:
        cursor = connection.execute(query.encode(), args or None)  # `%` is its own without any
        return cursor.fetchall() if cursor.description else []
