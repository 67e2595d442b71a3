"""The commands of OPERATING.md that encrypt what leaves the machine, run as they stand there."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from flights.ways.received import restored
from keep.base import retire
from keep.place import ask

PAGE = Path(__file__).parent.parent / "OPERATING.md"


def commands() -> list[str]:
    """Return the lines of the section about encryption, in their order."""
    text = PAGE.read_text(encoding="utf-8")
    section = re.search(
        r"^## Encryption at rest$(.*?)^## ", text + "\n## ", re.DOTALL | re.MULTILINE
    )
    assert section
    return re.findall(r"^\$ (.+)$", section[1], re.MULTILINE)


def bash(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder in which a store was encrypted, with the keys beside it."""
    (tmp_path / "store" / "log").mkdir(parents=True)
    (tmp_path / "store" / "log" / "000000010000000000000001").write_bytes(bytes(range(256)) * 4096)
    (tmp_path / "back").mkdir()
    for command in commands()[:5]:
        done = bash(command, tmp_path)
        assert done.returncode == 0, done.stderr
    return tmp_path


def test_what_was_encrypted_becomes_a_server(received):
    root = received.folder.with_name("elsewhere")
    received.run("mkdir", root, root / "back")
    retire(received, 1)  # one is enough, and sooner encrypted
    (root / "store").symlink_to(received.folder)
    try:
        for command in commands():
            done = bash(command, root)
            assert done.returncode == 0, done.stderr
        copy = replace(received, folder=root / "back")
        with restored(copy, root / "server", "") as server:
            assert ask(server, "SELECT count(*), sum(id) FROM written") == [(1000, 500500)]
    finally:
        shutil.rmtree(root)


def test_copy_of_nothing_is_told(elsewhere):
    """The status of a pipe is that of its end alone."""
    shutil.rmtree(elsewhere / "store")

    assert bash(commands()[3], elsewhere).returncode != 0


def test_what_was_encrypted_comes_back(elsewhere):
    for command in commands()[5:]:
        done = bash(command, elsewhere)
        assert done.returncode == 0, done.stderr

    segment = "log/000000010000000000000001"
    assert (elsewhere / "back" / segment).read_bytes() == (
        elsewhere / "store" / segment
    ).read_bytes()
    assert (elsewhere / "store" / segment).read_bytes()[:99] not in (
        elsewhere / "copy.enc"
    ).read_bytes()


@pytest.mark.parametrize("how", ["flipped", "cut"])
def test_copy_that_was_changed_is_refused(elsewhere, how):
    copy = bytearray((elsewhere / "copy.enc").read_bytes())
    if how == "flipped":
        copy[len(copy) // 2] ^= 1
    else:
        del copy[len(copy) // 2 :]
    (elsewhere / "copy.enc").write_bytes(copy)

    assert bash(commands()[5], elsewhere).returncode != 0


def test_other_secret_does_not_open_it(elsewhere):
    shutil.rmtree(elsewhere / "back")
    (elsewhere / "back").mkdir()
    (elsewhere / "secret").write_text("0" * 64 + "\n")

    assert bash(commands()[6], elsewhere).returncode != 0
    assert not list((elsewhere / "back").rglob("0*1"))


@pytest.mark.report(
    "mail-in-a-box/mailinabox#1810",
    "a key of several lines: backups are encrypted with the first one alone, and the page reads the last",
    "the secret is one line, all of which counts",
)
def test_all_of_the_secret_counts(elsewhere):
    secret = (elsewhere / "secret").read_text()
    assert secret.count("\n") == 1

    for shorter in (secret[:63] + "\n", secret[:32] + "\n" + secret[32:]):
        (elsewhere / "secret").write_text(shorter)
        assert bash(commands()[6], elsewhere).returncode != 0
