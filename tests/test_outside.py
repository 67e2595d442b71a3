"""Folders outside of every home: whose they are, and when they are removed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nexus.stacks import outside
from nexus.stacks.outside import remove_below, taken


@pytest.fixture(autouse=True)
def base(monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(outside, "BASE", tmp_path / "outside")
    return tmp_path / "outside"


def used(owner: Path) -> Path:
    """The folder of `owner`, made, filled, and not in use any more."""
    with taken(owner) as path:
        path.mkdir(exist_ok=True)
        (path / "file").touch()
    return path


def test_folder_whose_owner_is_gone_is_removed_when_the_next_is_made(base, tmp_path):
    first, kept = used(tmp_path / "first"), used(tmp_path / "kept")
    (tmp_path / "first").rmdir()

    second = used(tmp_path / "second")

    assert not first.parent.exists()
    assert (kept / "file").exists()
    assert (second / "file").exists()
    assert len(list(base.glob("*.owner"))) == 2


def test_folder_in_use_stays_though_its_owner_is_gone(tmp_path):
    with taken(tmp_path / "first") as path:
        path.mkdir()
        (tmp_path / "first").rmdir()
        used(tmp_path / "second")
        remove_below(tmp_path)
        assert path.exists()

    used(tmp_path / "third")
    assert not path.parent.exists()


@pytest.mark.parametrize("said", ["", "relative/path\n", "\0", None])
def test_folder_whose_origin_cannot_be_read_stays(tmp_path, said):
    folder = used(tmp_path / "first").parent
    note = folder.with_suffix(".owner")
    if said is None:
        note.unlink()
    else:
        note.write_text(said)
    (tmp_path / "first").rmdir()

    used(tmp_path / "second")
    remove_below(tmp_path)

    assert (folder / "first" / "file").exists()


def test_owner_that_cannot_be_looked_for_counts_as_there(tmp_path):
    folder = used(tmp_path / "first").parent
    (tmp_path / "file").touch()
    folder.with_suffix(".owner").write_text(f"{tmp_path}/file/below\n")  # not a directory

    used(tmp_path / "second")

    assert folder.exists()


def test_stacks_that_start_at_once_keep_their_folders(tmp_path):
    left = [used(tmp_path / f"left-{n}") for n in range(20)]
    for path in left:
        (tmp_path / path.name).rmdir()
    together = threading.Barrier(8)

    def start(n: int) -> bool:
        together.wait()
        with taken(tmp_path / f"stack-{n}") as path:
            path.mkdir()
            together.wait()
            return path.exists()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(start, range(8)))
    assert not any(path.parent.exists() for path in left)


def test_what_is_below_a_folder_is_removed_and_nothing_beside_it(tmp_path):
    mine, beside = used(tmp_path / "a" / "data"), used(tmp_path / "ab" / "data")

    remove_below(tmp_path / "a")

    assert not mine.parent.exists()
    assert (beside / "file").exists()


def test_data_is_found_again(tmp_path):
    assert used(tmp_path / "data") == used(tmp_path / "data")
