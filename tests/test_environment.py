"""What is installed is what the locks say."""

from pathlib import Path

import pytest

from nexus import environment
from nexus.catalog import Example


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """The installations that were asked for; nothing is installed."""
    found = []

    def run(command):
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True)
        else:
            found.append(command)

    monkeypatch.setattr(environment, "STATE", tmp_path / "state")
    monkeypatch.setattr(environment, "_run", run)
    return found


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text("toy==1.0")
    return folder


def test_hashes_are_required_of_what_is_installed(commands, folder):
    environment.ensure_environment(Example(folder))

    assert "--require-hashes" in commands[0]


def test_environment_is_made_again_when_its_lock_changes(commands, folder):
    for _ in range(2):
        environment.ensure_environment(Example(folder))
    assert len(commands) == 1

    (folder / "requirements.txt").write_text("toy==1.1")
    environment.ensure_environment(Example(folder))

    assert len(commands) == 2
