"""What can be wrong when a backup is made or restored: one sentence, an exit code, and nothing touched."""

import json
import os
import resource
import signal
from collections.abc import Iterator
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from hands import command, wait_until
from keep.base import bases
from restore.server import draft

WRITTEN = "SELECT count(*), sum(id) FROM written"


@pytest.fixture
def target(received):
    """A folder that is not there, and its name is nobody else's."""
    path = settings.POSTGRES_FOLDER / "target"
    yield path
    received.run("rm", "-rf", path, f"{path}.unfinished")


@pytest.fixture
def no_room() -> Iterator[None]:
    """No file of this process, or of what it starts, may be longer than 1 MB."""
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, was[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, was)


def refusal(*words: object) -> str:
    """Return the one sentence with which a command ends; it may not end well."""
    running = command(*words)
    output, errors = running.communicate(timeout=60)
    assert running.returncode == 1, errors
    assert errors == ""
    return sentence(output)


def refused(*words: object) -> str:
    """Return it of a command in this process, which is sooner."""
    output = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*map(str, words), stdout=output)
    assert ended.value.code == 1
    return sentence(output.getvalue())


def sentence(output: str) -> str:
    said = json.loads(output)
    assert not said["good"]
    assert "\n" not in said["says"]
    return said["says"]


@pytest.fixture(autouse=True)
def live_is_untouched(received):
    before = received.sql(WRITTEN)
    yield
    assert received.sql(WRITTEN) == before


@pytest.mark.usefixtures("no_room")
def test_disk_without_room_is_told_and_nothing_is_left(target):
    said = refused("restore", "received", "--into", target)

    assert "File too large" in said
    assert not target.exists()
    assert not target.with_name("target.unfinished").exists()


@pytest.mark.usefixtures("no_room")
def test_backup_without_room_is_bad_and_no_base(received):
    before = bases(received)

    assert "File too large" in refused("keep", "received")
    assert bases(received) == before


def test_folder_with_anything_in_it_is_left_as_it_is(received, target):
    received.run("mkdir", target)
    received.run("touch", target / "mine")

    said = refused("restore", "received", "--into", target)

    assert said == f"{target} is not empty: restore into a folder that is"
    assert [path.name for path in target.iterdir()] == ["mine"]


def test_folder_that_is_a_file_is_left_as_it_is(received, target):
    received.run("touch", target)

    assert "Not a directory" in refused("restore", "received", "--into", target)
    assert target.exists()


@pytest.mark.report(
    "pgbackrest/pgbackrest#2759",
    "two restores into one folder at a time write over each other",
    "the second is refused",
)
def test_folder_that_is_being_restored_into_is_left_as_it_is(received, target):
    with draft(received, target) as unfinished:
        received.run("touch", unfinished / "mine")
        said = refused("restore", "received", "--into", target)

        assert said == f"another restore into {target} is under way"
        assert [path.name for path in unfinished.iterdir()] == ["mine"]


def test_address_that_demands_tls_is_not_asked_without(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", os.environ["DATABASE_URL"] + "?sslmode=require")

    assert "does not support SSL" in refusal("keep", "received")


def test_base_of_another_version_is_refused(received, target):
    version = bases(received)[-1] / "PG_VERSION"
    was = version.read_text()
    version.write_text("12\n")
    try:
        said = refused("restore", "received", "--into", target)
    finally:
        version.write_text(was)

    assert said == "the server did not start: database files are incompatible with server"
    assert not target.exists()


def test_restore_that_was_interrupted_is_no_folder_and_the_next_one_is(received, target):
    unfinished = target.with_name("target.unfinished")
    endless = "SELECT pg_sleep(600)"
    running = command("restore", "received", "--into", target, "--sql", endless)
    wait_until(lambda: (unfinished / "base").exists() or running.poll() is not None)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert unfinished.exists()
    assert not target.exists()

    output = StringIO()
    call_command("restore", "received", "--into", str(target), "--sql", WRITTEN, stdout=output)

    assert json.loads(output.getvalue())["found"] == [[[1000, 500500]]]
    altered = "postgresql.auto.conf"
    assert (target / altered).read_bytes() == (bases(received)[-1] / altered).read_bytes()
    assert not unfinished.exists()


@pytest.mark.parametrize(
    ("moment", "why"),
    [
        ("tomorrow", "is no time with its zone"),
        ("2001-01-01T00:00+00:00", "no base backup was whole by"),
    ],
)
def test_moment_that_is_not_kept_is_refused(moment, why):
    assert why in refused("restore", "received", "--to", moment)
