"""A hot standby as the only backup: it has everything a moment later, what nobody wanted, too."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from keep.place import Place, Server
from restore.server import refusal

from . import nothing


def begin(place: Place) -> None:
    follow = "--write-recovery-conf", "--dbname", "application_name=replica", "--checkpoint=fast"
    place.run("pg_basebackup", "--pgdata", place.folder / "standby", *follow)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        (place.folder / "port").write_text(str(probe.getsockname()[1]), encoding="utf-8")


def processes(place: Place) -> Sequence[tuple[object, ...]]:
    where = "-h", "127.0.0.1", "-p", address(place)["port"], "-k", "", "-c", "shared_buffers=32MB"
    return (("postgres", "-D", place.folder / "standby", *where),)


def ready(place: Place) -> bool:
    return not refusal(address(place))


keep = nothing  # it is as new as it can be


def check(place: Place) -> str:
    return place.run("pg_isready", server=address(place))


@contextmanager
def restored(place: Place, folder: Path, until: str) -> Iterator[Server]:  # noqa: ARG001 -- it has one moment
    yield address(place)


def address(place: Place) -> Server:
    port = (place.folder / "port").read_text(encoding="utf-8")
    return {**place.server, "host": "127.0.0.1", "port": port}
