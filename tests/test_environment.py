"""What is installed is what the locks say, and so is what builds it."""

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
    assert "--build-constraints" not in commands[0]


def test_what_builds_a_package_is_pinned_as_well(commands, folder):
    build = folder / "requirements-build.txt"
    build.write_text("setuptools==80.10.2")

    environment.ensure_environment(Example(folder))

    assert commands[0][commands[0].index("--build-constraints") + 1] == str(build)


def test_environment_is_made_again_when_what_builds_it_changes(commands, folder):
    for _ in range(2):
        environment.ensure_environment(Example(folder))
    assert len(commands) == 1

    (folder / "requirements-build.txt").write_text("setuptools==80.10.2")
    environment.ensure_environment(Example(folder))

    assert len(commands) == 2
